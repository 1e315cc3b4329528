#pragma once

#include <span>
#include <string_view>

namespace mq {

/// The name that somebody may have meant when typing `word`.
///
/// Returns   empty when none is close: more than a third of its letters would have to change
/// Cost      the product of the lengths, for each name; for error lines only
std::string_view nearest(std::string_view word, std::span<const std::string_view> names);

}  // namespace mq
