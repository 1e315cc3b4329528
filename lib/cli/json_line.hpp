#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "wire/packet.hpp"
#include "wire/property.hpp"

namespace mq::cli {

/// A message as append_json_message() writes it. What says nothing was not on the line.
struct JsonLine {
  std::optional<std::string> topic;
  std::optional<wire::QoS> qos;
  std::optional<bool> retain;
  std::optional<std::string> stamp;  ///< "tst", as it stands there
  std::string payload;
  wire::PropertyList properties;  ///< that a publisher may set
};

/// Reads one JSON object. Its payload is a string, `payload_b64`, null for an empty one, or another
/// value that stands for its own text. What belongs to the connection that it came by (packet id,
/// topic alias, subscription identifiers) is left out, and members without a meaning are too.
///
/// Fails  the place and what is wrong there: "column 9: …" or "qos: …"
std::expected<JsonLine, std::string> parse_json_line(std::string_view line);

}  // namespace mq::cli
