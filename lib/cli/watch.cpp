#include "cli/watch.hpp"

#include <fmt/format.h>

#include <iterator>

namespace mq::cli {

void Watch::begin(std::string& out) {
  out += "\x1b[2J\x1b[?7l";  // clear, and let no line go on in the next one
}

void Watch::show(std::string_view topic, std::string_view text, std::string& out) {
  auto known = lines_.find(topic);
  if (known == lines_.end()) known = lines_.emplace(std::string(topic), lines_.size() + 1).first;
  fmt::format_to(std::back_inserter(out), "\x1b[{};1H\x1b[2K{}", known->second,
                 text.substr(0, text.find('\n')));
}

void Watch::end(std::string& out) const {
  fmt::format_to(std::back_inserter(out), "\x1b[{};1H\x1b[?7h\n", lines_.size());
}

}  // namespace mq::cli
