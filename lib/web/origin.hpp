#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mq::web {

/// "https://Example.org" as "https://example.org:443": two origins are the same when this is.
/// Nothing, when the text is no scheme, host and port.
///
/// Spec  RFC 6454 §4
std::optional<std::string> origin_of(std::string_view text);

}  // namespace mq::web
