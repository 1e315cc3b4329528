#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/text_map.hpp"

namespace mq::cli {

/// A screen with a line for each topic, which shows its latest message. What is appended to `out`
/// are the ANSI sequences of a terminal; too long a line is cut by it.
class Watch {
 public:
  /// Empties the screen.
  static void begin(std::string& out);
  /// Shows the first line of `text` where the topic has its place.
  void show(std::string_view topic, std::string_view text, std::string& out);
  /// Leaves the cursor below the last line.
  void end(std::string& out) const;

 private:
  TextMap<std::size_t> lines_;  ///< by topic; counted from 1, in the order of their first messages
};

}  // namespace mq::cli
