#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/output_format.hpp"
#include "wire/packet.hpp"

namespace mq::cli {

/// How mqsub prints a message.
struct MessageFormat {
  OutputFormat pieces = {};  ///< empty: the payload, or topic and payload
  bool has_topic = false;
  std::string_view end = "\n";  ///< behind each message
  JsonStyle json = JsonStyle::compact;
  Medium medium = Medium::file;
  bool is_coloured = false;
};

/// Writes messages as they are to be printed.
///
/// Without pieces that is the payload, or the topic, a space and the payload; an empty payload is
/// nothing at all, or "(null)" behind the topic. On a terminal, what could steer it is escaped, and
/// where more than the payload is printed, newlines too, lest a part of it look like another
/// message, save one at its end with nothing of the message behind it; in a pipe or a file the
/// bytes are the payload's.
class Formatter {
 public:
  /// notices  hear of payloads that are not what a code wants
  Formatter(MessageFormat format, Notices& notices)
      : format_(std::move(format)), notices_(notices) {}

  /// Appends a message that came at `wall`.
  void append(const wire::Publish& message, WallTime wall, std::string& out);

 private:
  void append_plain(const wire::Publish& message, std::string& out);
  void append_piece(const FormatPiece& piece, const wire::Publish& message, WallTime wall,
                    std::string& out);
  void append_json_piece(const FormatPiece& piece, const wire::Publish& message, WallTime wall,
                         std::string& out);
  void append_topic(std::string_view topic, const FormatPiece& piece, std::string& out);
  void append_field(std::string_view text, const FormatPiece& piece, std::string& out) const;
  void append_text(std::string_view text, std::string& out) const;
  /// is_end_kept  a newline at its end is no danger
  void append_payload(std::string_view payload, bool is_end_kept, std::string& out) const;
  bool is_payload_alone() const;
  /// Whether nothing of a message stands behind the piece.
  bool is_last_field(const FormatPiece& piece) const;
  template <class Number>
  void append_float(const FormatPiece& piece, const wire::Publish& message, std::string& out);
  /// What strftime makes of the local time. Valid until the next call.
  std::string_view local_time(const char* form, WallTime wall);

  MessageFormat format_;
  Notices& notices_;
  std::string scratch_;
  std::string stamp_;
  char time_[128] = {};
  std::int64_t second_ = -1;  ///< that local_ stands for
  std::tm local_{};
};

}  // namespace mq::cli
