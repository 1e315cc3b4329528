#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace mq::cli {

/// Writes all of it. Returns false when nobody reads any more.
using Write = std::function<bool(std::string_view)>;

/// Waits until a file descriptor can be written to. Returns false when it is not to be waited for
/// any longer.
using Await = std::function<bool(int descriptor)>;

/// Waits as long as it takes.
bool await_for_ever(int descriptor);

/// Writes to a file descriptor, and waits as long as that takes.
Write write_to(int descriptor);
/// The same, and waits by `await`, which must outlive it and may change. When that gives up, errno
/// is ECANCELED. Whoever shares the descriptor notices nothing of it.
Write write_to(int descriptor, const Await& await);
Write write_to(int descriptor, Await&& await) = delete;

enum class Medium : bool { file, terminal };
Medium medium_of(int descriptor);

/// Prints all that a program was asked for on standard output. A reader that has gone away is a
/// quiet end; anything else that keeps it from being written is told on standard error.
///
/// Returns  the exit code
int show(const std::string& program, std::string_view text);

/// Text and bytes on their way out, gathered until flush().
class Output {
 public:
  Output(Write write, Medium medium) : write_(std::move(write)), medium_(medium) {}

  std::string& buffer() { return buffer_; }
  Medium medium() const { return medium_; }
  /// Returns false when nobody reads any more; from then on nothing is written.
  bool flush();
  /// Flushes what has become large, so that memory stays bounded within a turn.
  bool flush_when_large() { return buffer_.size() < kLarge || flush(); }

 private:
  static constexpr std::size_t kLarge = 1U << 20U;

  Write write_;
  Medium medium_;
  std::string buffer_;
  bool is_read_ = true;
};

/// What a program says beside its output, a line each: "mqsub: …". Words of others may be among it:
/// control characters are shown as \xNN. What is quiet tells nothing but by its exit code.
class Notices {
 public:
  enum class Loudness : bool { normal, quiet };

  Notices(std::string program, Write write, Medium medium, Loudness loudness)
      : program_(std::move(program)),
        write_(std::move(write)),
        medium_(medium),
        is_quiet_(loudness == Loudness::quiet) {}

  /// Something failed.
  void error(std::string_view words);
  /// The same, of several lines.
  void errors(std::string_view lines);
  /// Something that is good to know.
  void note(std::string_view words);
  /// What was asked for, and is told also when it is to be quiet.
  void trace(std::string_view words);
  /// Advice, for a person at a terminal only.
  void hint(std::string_view words);
  /// Somebody looks on who wants to hear more than what went wrong.
  bool has_watcher() const { return !is_quiet_ && medium_ == Medium::terminal; }
  /// How things go, for whoever looks on: on the last line of the terminal, which the next words
  /// replace. Nothing: it is left clear.
  void status(std::string_view words);

 private:
  void line(std::string_view words);

  std::string program_;
  Write write_;
  Medium medium_;
  bool is_quiet_;
  bool has_status_ = false;
};

}  // namespace mq::cli
