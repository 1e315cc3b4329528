#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/packet.hpp"

namespace mq::cli {

enum class JsonPayload : std::uint8_t {
  text,   ///< a string
  value,  ///< the JSON that it is; where it is none, a string
};

/// Appends a message as one line of JSON:
/// `{"tst","topic","qos","retain","payloadlen","mid","properties","payload"}`, of which `mid` is
/// there above QoS 0 and `properties` where there are some. An empty payload is null. What is not
/// UTF-8 is in base64, under `payload_b64` and `correlation-data_b64`.
///
/// stamp  when it came
void append_json_message(const wire::Publish& message, std::string_view stamp, JsonPayload payload,
                         std::string& out);

}  // namespace mq::cli
