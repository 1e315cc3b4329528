#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace mq::cli {

/// What control characters there are in a string is written as \uNNNN, so that JSON is also safe
/// to show on a terminal.
enum class JsonStyle : std::uint8_t {
  compact,  ///< one line without spaces
  pretty,   ///< a line for each member, indented by tabs, by 32 at most
};

/// Whether a text is one JSON value, in UTF-8.
bool is_json(std::string_view text);

/// Appends UTF-8 as a JSON string, with its quotes.
void append_json_string(std::string_view text, std::string& out);

/// Appends a JSON value, laid out anew; what numbers and strings look like stays untouched.
///
/// text  one for which is_json() is true
void append_json(std::string_view text, JsonStyle style, std::string& out);

/// Appends the base64 of the standard alphabet, padded (RFC 4648 §4).
void append_base64(ByteView bytes, std::string& out);

/// Reads what append_base64() writes. Returns nothing when it is something else.
std::optional<std::string> read_base64(std::string_view text);

/// A member of a JSON object.
struct JsonMember {
  std::string name;
  std::string_view value;  ///< its text, as it stands in the object's
};

/// All of them, in their order, also those of the same name.
///
/// object  one for which is_json() is true
std::vector<JsonMember> json_members(std::string_view object);

/// The text of a member's value in a JSON object, as it stands there; empty when there is no such
/// member.
///
/// object  one for which is_json() is true
std::string_view json_member(std::string_view object, std::string_view key);

}  // namespace mq::cli
