#include "cli/formatter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "cli/escape.hpp"
#include "cli/json_message.hpp"

namespace mq::cli {

namespace {

using wire::PropertyId;

constexpr std::string_view kTopicColour = "\x1b[36m";
constexpr std::string_view kNoColour = "\x1b[0m";

constexpr std::int64_t kMicros = 1'000'000;

std::int64_t seconds_of(WallTime wall) {
  return wall.time_since_epoch().count() / kMicros;
}
std::int64_t micros_of(WallTime wall) {
  return wall.time_since_epoch().count() % kMicros;
}

bool begins_character(char c) {
  return (c & '\xC0') != '\x80';
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += begins_character(c) ? 1 : 0;
  return count;
}

std::string_view first_characters(std::string_view text, std::size_t count) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (begins_character(text[at]) && count-- == 0) return text.substr(0, at);
  }
  return text;
}

/// Fills the field up in front of or behind what `write` appends.
template <class WriteContent>
void pad(const FormatPiece& piece, std::size_t size, char filler, std::string& out,
         const WriteContent& write) {
  const std::size_t missing = piece.width > size ? piece.width - size : 0;
  if (!piece.is_left) out.append(missing, filler);
  write();
  if (piece.is_left) out.append(missing, ' ');
}

char number_filler(const FormatPiece& piece) {
  return piece.is_zero_padded && !piece.is_left ? '0' : ' ';
}

void append_number(std::uint64_t number, const FormatPiece& piece, std::string& out) {
  const fmt::format_int digits(number);
  pad(piece, digits.size(), number_filler(piece), out,
      [&] { out.append(digits.data(), digits.size()); });
}

void append_number(const wire::Publish& message, PropertyId id, const FormatPiece& piece,
                   std::string& out) {
  if (const auto number = message.properties.number(id)) {
    append_number(*number, piece, out);
  } else {
    out.append(piece.width, number_filler(piece));
  }
}

/// Hex digits in groups, of as many bytes as the field has room for.
void append_hex(ByteView bytes, const FormatPiece& piece, std::string& out) {
  const std::string_view digits = piece.code == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
  const std::size_t group = piece.precision.value_or(0);
  const auto size_of = [group](std::size_t count) {
    const std::size_t nibbles = count * 2;
    return nibbles + (group == 0 || nibbles == 0 ? 0 : (nibbles - 1) / group);
  };
  std::size_t count = bytes.size();
  if (piece.width != 0) count = std::min(count, piece.width / 2);
  while (piece.width != 0 && size_of(count) > piece.width) --count;
  pad(piece, size_of(count), number_filler(piece), out, [&] {
    for (std::size_t i = 0; i < count * 2; ++i) {
      if (group != 0 && i != 0 && i % group == 0) out += piece.separator;
      out += digits[i % 2 == 0 ? bytes[i / 2] >> 4U : bytes[i / 2] & 15U];
    }
  });
}

std::string user_properties(const wire::Properties& properties) {
  std::string text;
  for (const wire::Property& property : properties) {
    if (property.id != PropertyId::user_property) continue;
    if (!text.empty()) text += ' ';
    text += text_of(property.bytes);
    text += ':';
    text += property.value;
  }
  return text;
}

}  // namespace

void Formatter::append(const wire::Publish& message, WallTime wall, std::string& out) {
  if (format_.pieces.empty()) return append_plain(message, out);
  for (const FormatPiece& piece : format_.pieces) append_piece(piece, message, wall, out);
  out += format_.end;
}

void Formatter::append_plain(const wire::Publish& message, std::string& out) {
  if (!format_.has_topic && message.payload.empty()) return;
  if (format_.has_topic) {
    append_topic(message.topic, FormatPiece{}, out);
    out += ' ';
  }
  if (message.payload.empty()) {
    out += "(null)";
  } else {
    append_payload(text_of(message.payload), true, out);
  }
  out += format_.end;
}

void Formatter::append_piece(const FormatPiece& piece, const wire::Publish& message, WallTime wall,
                             std::string& out) {
  const wire::Properties& properties = message.properties;
  const auto text = [&](PropertyId id) {
    append_field(properties.text(id).value_or(std::string_view()), piece, out);
  };
  switch (piece.code) {
    case kLiteral:
      out += piece.text;
      return;
    case kTime:
      out += local_time(piece.text.c_str(), wall);
      return;
    case kNanoseconds:
      fmt::format_to(std::back_inserter(out), "{:06}000", micros_of(wall));
      return;
    case 'A':
      return append_number(message, PropertyId::topic_alias, piece, out);
    case 'C':
      return text(PropertyId::content_type);
    case 'D':
      return append_text(properties.text(PropertyId::correlation_data).value_or(""), out);
    case 'E':
      return append_number(message, PropertyId::message_expiry_interval, piece, out);
    case 'F':
      return append_number(message, PropertyId::payload_format_indicator, piece, out);
    case 'I':
      return append_field(local_time("%FT%T%z", wall), piece, out);
    case 'P':
      return append_text(user_properties(properties), out);
    case 'R':
      return text(PropertyId::response_topic);
    case 'S':
      return append_number(message, PropertyId::subscription_identifier, piece, out);
    case 'U':
      fmt::format_to(std::back_inserter(out), "{}.{:06}000", seconds_of(wall), micros_of(wall));
      return;
    case 'X':
    case 'x':
      return append_hex(message.payload, piece, out);
    case 'd':
      return append_float<double>(piece, message, out);
    case 'f':
      return append_float<float>(piece, message, out);
    case 'J':
    case 'j':
      return append_json_piece(piece, message, wall, out);
    case 'l':
      return append_number(message.payload.size(), piece, out);
    case 'm':
      return append_number(message.packet_id, piece, out);
    case 'p': {
      std::string_view payload = text_of(message.payload);
      if (piece.width != 0) payload = payload.substr(0, piece.width);
      return pad(piece, payload.size(), ' ', out,
                 [&] { append_payload(payload, is_last_field(piece), out); });
    }
    case 'q':
      out += static_cast<char>('0' + static_cast<int>(message.qos));
      return;
    case 'r':
      out += message.retain ? '1' : '0';
      return;
    case 't':
      return append_topic(message.topic, piece, out);
    default:
      return;
  }
}

void Formatter::append_json_piece(const FormatPiece& piece, const wire::Publish& message,
                                  WallTime wall, std::string& out) {
  const JsonPayload payload = piece.code == 'J' ? JsonPayload::value : JsonPayload::text;
  stamp_ = local_time("%FT%T", wall);
  fmt::format_to(std::back_inserter(stamp_), ".{:06}", micros_of(wall));
  stamp_ += local_time("%z", wall);
  if (format_.json == JsonStyle::compact) {
    append_json_message(message, stamp_, payload, out);
  } else {
    scratch_.clear();
    append_json_message(message, stamp_, payload, scratch_);
    append_json(scratch_, format_.json, out);
  }
}

void Formatter::append_topic(std::string_view topic, const FormatPiece& piece, std::string& out) {
  if (format_.is_coloured) out += kTopicColour;
  append_field(topic, piece, out);
  if (format_.is_coloured) out += kNoColour;
}

void Formatter::append_field(std::string_view text, const FormatPiece& piece,
                             std::string& out) const {
  if (piece.precision) text = first_characters(text, *piece.precision);
  const std::size_t size = piece.width == 0 ? 0 : count_characters(text);
  pad(piece, size, ' ', out, [&] { append_text(text, out); });
}

void Formatter::append_text(std::string_view text, std::string& out) const {
  if (format_.medium == Medium::terminal) {
    escape(text, Newlines::escaped, out);
  } else {
    out += text;
  }
}

/// Most files and command outputs have a newline at their end.
void Formatter::append_payload(std::string_view payload, bool is_end_kept, std::string& out) const {
  if (format_.medium == Medium::terminal && is_payload_alone()) {
    return escape(payload, Newlines::kept, out);
  }
  const std::size_t end = payload.size() - (is_end_kept && payload.ends_with('\n') ? 1 : 0);
  append_text(payload.substr(0, end), out);
  out += payload.substr(end);
}

bool Formatter::is_payload_alone() const {
  if (format_.pieces.empty()) return !format_.has_topic;
  return format_.pieces.size() == 1 && format_.pieces.front().code == 'p';
}

bool Formatter::is_last_field(const FormatPiece& piece) const {
  const auto last =
      std::find_if(format_.pieces.rbegin(), format_.pieces.rend(), [](const FormatPiece& other) {
        return other.code != kLiteral && other.code != kTime && other.code != kNanoseconds;
      });
  return &*last == &piece;
}

template <class Number>
void Formatter::append_float(const FormatPiece& piece, const wire::Publish& message,
                             std::string& out) {
  if (message.payload.size() != sizeof(Number)) {
    notices_.error(fmt::format("message on {}: %{} takes {} bytes, not {}", message.topic,
                               piece.code, sizeof(Number), message.payload.size()));
    out.append(piece.width, ' ');
    return;
  }
  Number number{};
  std::memcpy(&number, message.payload.data(), sizeof(number));
  constexpr int kUsualDigits = 6;
  const auto digits = static_cast<int>(piece.precision.value_or(kUsualDigits));
  const std::string text = fmt::format("{:.{}f}", number, digits);
  pad(piece, text.size(), number_filler(piece), out, [&] { out += text; });
}

std::string_view Formatter::local_time(const char* form, WallTime wall) {
  if (second_ != seconds_of(wall)) {
    second_ = seconds_of(wall);
    const std::time_t second = second_;
    localtime_r(&second, &local_);
  }
  return {time_, std::strftime(time_, sizeof(time_), form, &local_)};
}

}  // namespace mq::cli
