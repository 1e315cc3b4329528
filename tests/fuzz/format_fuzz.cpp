#include <algorithm>
#include <string>

#include "base/check.hpp"
#include "base/printable.hpp"
#include "cli/formatter.hpp"
#include "wire/utf8.hpp"

// The input is a format of -F, and behind the first newline a payload to print by it, whose
// beginning is the message's other texts as well. A format is read or explained, and any message is
// printed by one that was read. On a terminal no control character is printed but tabs, newlines
// where they are allowed, and those that the format has itself. A format that is not UTF-8 is not
// judged by that: its broken characters may be mended by what is printed in between, or is not.

namespace {

using namespace mq;

struct Controls {
  std::size_t newlines = 0;
  std::size_t others = 0;  ///< but for tabs
  bool operator==(const Controls&) const = default;
};

// What is not UTF-8 is none.
Controls controls(std::string_view text) {
  Controls count;
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.code == '\n') {
      ++count.newlines;
    } else if (character.size != 0 && character.code != '\t' && is_control(character.code)) {
      ++count.others;
    }
    text.remove_prefix(std::max<std::size_t>(character.size, 1));
  }
  return count;
}

// That the format has: as they are, or escaped.
Controls controls_of_format(std::string_view format) {
  Controls count = controls(format);
  for (std::size_t at = 0; at + 1 < format.size(); ++at) {
    if (format[at] != '\\') continue;
    ++at;
    if (format[at] == 'n') ++count.newlines;
    if (std::string_view("0aerv").contains(format[at])) ++count.others;
  }
  return count;
}

// What may be printed of a message: the format's own, the end of the line, what strftime makes of
// @n, and the newline at the end of a payload that nothing else of the message follows.
Controls allowed(const cli::OutputFormat& pieces, std::string_view format,
                 std::string_view payload) {
  Controls count = controls_of_format(format);
  ++count.newlines;
  std::size_t at_end = 0;
  for (const auto& piece : pieces) {
    if (piece.code == cli::kLiteral || piece.code == cli::kNanoseconds) continue;
    if (piece.code == cli::kTime) {
      if (piece.text == "%n") ++count.newlines;
      continue;
    }
    at_end = 0;
    if (piece.code != 'p') continue;
    const auto shown = piece.width == 0 ? payload : payload.substr(0, piece.width);
    at_end = pieces.size() == 1 ? controls(shown).newlines : shown.ends_with('\n') ? 1 : 0;
  }
  count.newlines += at_end;
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  const auto text = text_of({data, size});
  const auto end = std::min(text.find('\n'), size);
  const auto format = text.substr(0, end);
  auto pieces = cli::parse_format(format);
  if (!pieces) {
    MQ_CHECK(!pieces.error().message.empty());
    return 0;
  }
  // A width of millions prints millions of blanks, as it was asked to.
  for (auto& piece : *pieces) piece.width = std::min<std::size_t>(piece.width, 1000);
  const auto payload = end == size ? std::string_view() : text.substr(end + 1);
  std::string said;
  cli::Notices notices(
      "mqsub",
      [&said](std::string_view line) {
        said += line;
        return true;
      },
      cli::Medium::file, cli::Notices::Loudness::normal);
  const auto start = payload.substr(0, 100);
  const auto words = wire::is_utf8_string(bytes_of(start)) ? start : std::string_view("a/b");
  wire::PropertyList properties;
  properties.add(wire::PropertyId::content_type, words)
      .add(wire::PropertyId::response_topic, words)
      .add(wire::PropertyId::correlation_data, bytes_of(start))
      .add(wire::PropertyId::topic_alias, 3U)
      .add_user("k", words)
      .add_user(words, "v");
  const wire::Publish message{.qos = wire::QoS::at_least_once,
                              .topic = words,
                              .packet_id = 5,
                              .properties = properties.view(),
                              .payload = bytes_of(payload)};
  for (const auto medium : {cli::Medium::file, cli::Medium::terminal}) {
    cli::Formatter formatter({.pieces = *pieces, .medium = medium}, notices);
    std::string out;
    formatter.append(message, WallTime(std::chrono::seconds(1'700'000'000)), out);
    if (medium == cli::Medium::terminal && wire::is_utf8(bytes_of(format))) {
      MQ_CHECK(controls(out) == allowed(*pieces, format, payload));
    }
  }
  MQ_CHECK(controls(said).others == 0);
  return 0;
}
