#pragma once

#include "base/bytes.hpp"

namespace mq::wire {

/// Whether `text` may stand in an MQTT string: well-formed UTF-8 (no surrogates, nothing overlong,
/// nothing above U+10FFFF) without U+0000. U+FEFF is a character like any other.
///
/// Cost  eight bytes a step while it is ASCII
/// Spec  [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.4-3]
bool is_utf8_string(ByteView text);

/// The same, but U+0000 is allowed: a payload that calls itself text (MQTT 5.0 §3.3.2.3.2).
bool is_utf8(ByteView text);

/// Whether `text` is ASCII without U+0000 and without the wildcards '+' and '#': a quick yes for
/// most topic names. A no says only that a closer look is needed.
bool is_plain_topic(ByteView text);

}  // namespace mq::wire
