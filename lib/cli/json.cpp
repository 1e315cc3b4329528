#include "cli/json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/printable.hpp"

namespace mq::cli {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kSpaces = " \t\r\n";
/// What is nested more deeply is indented no further, lest the tabs outweigh all the rest.
constexpr std::size_t kMostTabs = 32;

void append_code(std::uint32_t code, std::string& out) {
  out += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) out += kHexDigits[code >> shift & 15U];
}

/// What JSON allows in a string and a terminal obeys: of no size when the text begins with
/// something else.
Character first_control(std::string_view text) {
  if (static_cast<Byte>(text[0]) < 0x7F) return {};
  const Character character = first_character(text);
  return is_control(character.code) ? character : Character{};
}

char short_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

/// Writes tokens with line breaks and tabs as cJSON does, which mosquitto's clients use.
class Layout {
 public:
  Layout(JsonStyle style, std::string& out) : is_pretty_(style == JsonStyle::pretty), out_(out) {}

  void token(char c) {
    switch (c) {
      case '{':
      case '[':
        open(c);
        break;
      case '}':
      case ']':
        close(c);
        break;
      case ',':
        out_ += ',';
        if (!is_pretty_) break;
        if (in_object()) {
          begin_line();
        } else {
          out_ += ' ';
        }
        break;
      case ':':
        out_ += is_pretty_ ? ":\t" : ":";
        break;
      default:
        indent();
        out_ += c;
    }
  }
  /// Before a string.
  void indent() {
    if (is_line_begun_) out_.append(std::min(containers_.size(), kMostTabs), '\t');
    is_line_begun_ = false;
  }

 private:
  bool in_object() const { return !containers_.empty() && containers_.back() == '{'; }
  void begin_line() {
    out_ += '\n';
    is_line_begun_ = true;
  }
  void open(char c) {
    out_ += c;
    containers_ += c;
    if (is_pretty_ && c == '{') begin_line();
  }
  void close(char c) {
    if (is_pretty_ && c == '}') {
      if (!is_line_begun_) begin_line();
      containers_.pop_back();
      indent();
    } else {
      containers_.pop_back();
    }
    out_ += c;
  }

  bool is_pretty_;
  std::string& out_;
  std::string containers_;  ///< their brackets, the outermost first
  bool is_line_begun_ = false;
};

/// Copies a string with its quotes. Returns how long it was.
std::size_t copy_string(std::string_view text, std::string& out) {
  out += '"';
  std::size_t at = 1;
  while (text[at] != '"') {
    if (const Character control = first_control(text.substr(at)); control.size != 0) {
      append_code(control.code, out);
      at += control.size;
      continue;
    }
    if (text[at] == '\\') out += text[at++];
    out += text[at++];
  }
  out += '"';
  return at + 1;
}

/// Where the string that begins at `at` ends, its quote included.
std::size_t string_end(std::string_view json, std::size_t at) {
  for (++at; json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return at + 1;
}

/// Where the value that begins at `at` ends.
std::size_t value_end(std::string_view json, std::size_t at) {
  for (std::size_t depth = 0; at < json.size();) {
    const char c = json[at];
    if (c == '"') {
      at = string_end(json, at);
      continue;
    }
    const bool is_closing = c == '}' || c == ']';
    if (depth == 0 && (is_closing || c == ',')) break;
    if (c == '{' || c == '[') ++depth;
    if (is_closing) --depth;
    ++at;
  }
  return at;
}

}  // namespace

bool is_json(std::string_view text) {
  if (text.contains('\0')) return false;  // which the library takes for the end
  return !text.starts_with("\xEF\xBB\xBF") && nlohmann::json::accept(text);
}

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  std::size_t copied = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const Character control = first_control(text.substr(at));
    if (static_cast<Byte>(c) >= 0x20 && c != '"' && c != '\\' && control.size == 0) {
      ++at;
      continue;
    }
    out += text.substr(copied, at - copied);
    at += control.size == 0 ? 1 : control.size;
    copied = at;
    if (const char letter = short_escape(c); letter != 0) {
      out += '\\';
      out += letter;
    } else {
      append_code(control.size == 0 ? static_cast<Byte>(c) : control.code, out);
    }
  }
  out += text.substr(copied);
  out += '"';
}

void append_json(std::string_view text, JsonStyle style, std::string& out) {
  Layout layout(style, out);
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"') {
      layout.indent();
      at += copy_string(text.substr(at), out);
      continue;
    }
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') layout.token(c);
    ++at;
  }
}

void append_base64(ByteView bytes, std::string& out) {
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const ByteView part = bytes.subspan(at, std::min<std::size_t>(3, bytes.size() - at));
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < 3; ++i) word = word << 8U | (i < part.size() ? part[i] : 0U);
    for (std::size_t i = 0; i < 4; ++i) {
      out += i > part.size() ? '=' : kBase64Digits[word >> (18U - 6U * i) & 63U];
    }
  }
}

std::optional<std::string> read_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_padding = i + padding >= text.size();
    const std::size_t digit = is_padding ? 0 : kBase64Digits.find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    word = word << 6U | static_cast<std::uint32_t>(digit);
    if (i % 4 != 3) continue;
    for (const unsigned shift : {16U, 8U, 0U}) bytes += static_cast<char>(word >> shift & 255U);
    word = 0;
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

std::vector<JsonMember> json_members(std::string_view object) {
  std::vector<JsonMember> members;
  std::size_t at = object.find('{') + 1;
  while ((at = object.find('"', at)) != std::string_view::npos) {
    const std::size_t name_end = string_end(object, at);
    std::string name = nlohmann::json::parse(object.substr(at, name_end - at));
    const std::size_t start = object.find_first_not_of(kSpaces, object.find(':', name_end) + 1);
    at = value_end(object, start);
    const std::string_view value = object.substr(start, at - start);
    members.push_back({std::move(name), value.substr(0, value.find_last_not_of(kSpaces) + 1)});
  }
  return members;
}

std::string_view json_member(std::string_view object, std::string_view key) {
  std::string_view found;
  for (const JsonMember& member : json_members(object)) {
    if (member.name == key) found = member.value;
  }
  return found;
}

}  // namespace mq::cli
