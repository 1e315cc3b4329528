#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mq::cli {

/// Cuts text that comes in pieces into lines of any length, embedded NULs included. The last line
/// needs no newline.
class LineCutter {
 public:
  void feed(std::string_view text) {
    if (start_ > 0) {
      text_.erase(0, start_);
      cut_off_ += start_;
      searched_ -= start_;
      start_ = 0;
    }
    text_ += text;
  }
  void end() { is_ended_ = true; }

  /// The next line, without its newline; valid until the next call of feed().
  std::optional<std::string_view> next() {
    const std::size_t newline = text_.find('\n', searched_);
    if (newline == std::string::npos) {
      searched_ = text_.size();
      if (!is_ended_ || start_ == text_.size()) return std::nullopt;
    }
    const std::size_t end = std::min(newline, text_.size());
    const std::string_view line = std::string_view(text_).substr(start_, end - start_);
    start_ = searched_ = std::min(end + 1, text_.size());
    ++number_;
    return line;
  }

  /// Of the line that next() gave last; the first is 1.
  std::uint64_t number() const { return number_; }
  /// Whether next() may have something without another feed().
  bool may_have_line() const {
    return searched_ < text_.size() || (is_ended_ && start_ < text_.size());
  }
  bool is_at_end() const { return is_ended_ && start_ == text_.size(); }
  /// Bytes that next() has gone through.
  std::uint64_t taken() const { return cut_off_ + start_; }
  /// Of the unfinished line.
  std::size_t pending() const { return text_.size() - start_; }

 private:
  std::string text_;
  std::uint64_t cut_off_ = 0;  ///< in front of text_
  std::size_t start_ = 0;      ///< of the next line
  std::size_t searched_ = 0;   ///< no newline between start_ and here
  std::uint64_t number_ = 0;
  bool is_ended_ = false;
};

}  // namespace mq::cli
