#include <cstdlib>
#include <string>

#include "base/check.hpp"
#include "cli/formatter.hpp"

// The input is a format of -F, and behind the first newline a payload to print by it. A format is
// read or explained, and any payload is printed by one that was read.

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  using namespace mq;
  const auto text = text_of({data, size});
  const auto end = text.find('\n');
  auto pieces = cli::parse_format(text.substr(0, end));
  if (!pieces) {
    MQ_CHECK(!pieces.error().message.empty());
    return 0;
  }
  // A width of millions prints millions of blanks, as it was asked to.
  for (auto& piece : *pieces) piece.width = std::min<std::size_t>(piece.width, 1000);
  const auto payload = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  cli::Notices notices(
      "mqsub", [](std::string_view) { return true; }, cli::Medium::file,
      cli::Notices::Loudness::normal);
  wire::PropertyList properties;
  properties.add_user("k", payload.substr(0, 100)).add(wire::PropertyId::topic_alias, 3U);
  const wire::Publish message{.qos = wire::QoS::at_least_once,
                              .topic = "a/b",
                              .packet_id = 5,
                              .properties = properties.view(),
                              .payload = bytes_of(payload)};
  for (const auto medium : {cli::Medium::file, cli::Medium::terminal}) {
    cli::Formatter formatter({.pieces = *pieces, .medium = medium}, notices);
    std::string out;
    formatter.append(message, WallTime(std::chrono::seconds(1'700'000'000)), out);
    if (medium == cli::Medium::file) continue;
    MQ_CHECK(out.find('\x1b') == std::string::npos || text.substr(0, end).find('\\') == 0 ||
             text.substr(0, end).find("\\e") != std::string_view::npos ||
             text.substr(0, end).find('\x1b') != std::string_view::npos);
  }
  return 0;
}
