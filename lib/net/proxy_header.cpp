#include "net/proxy_header.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <vector>

namespace mq::net {

namespace {

constexpr std::string_view kNoHeader = "it does not begin with the PROXY header that is wanted";
constexpr std::string_view kBadHeader = "its PROXY header is wrong";

std::unexpected<std::string> wrong(std::string_view words) {
  return std::unexpected(std::string(words));
}

std::uint16_t number_at(ByteView bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8U | bytes[at + 1]);
}

/// Reads big-endian fields from the front of bytes; what is not there is empty.
ByteView cut(ByteView& bytes, std::size_t size) {
  const ByteView front = bytes.first(std::min(size, bytes.size()));
  bytes = bytes.subspan(front.size());
  return front;
}

std::string address_text(int family, const Byte* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, address, text.data(), text.size());
  return text.data();
}

// Version 1 is a line of text.

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::size_t kLongestLine = 107;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const auto space = line.find(' ');
    words.push_back(line.substr(0, space));
    if (space == std::string_view::npos) return words;
    line.remove_prefix(space + 1);
  }
}

/// The same address as the system writes it; empty when it is none.
std::string checked_address(int family, std::string_view word) {
  std::array<Byte, 16> address{};
  if (inet_pton(family, std::string(word).c_str(), address.data()) != 1) return {};
  return address_text(family, address.data());
}

std::optional<std::uint16_t> port_of(std::string_view word) {
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), port);
  if (code != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return port;
}

// Version 2 is binary.

constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kFixedSize = 16;
constexpr std::size_t kLongestRest = 4096;
constexpr Byte kLocal = 0x20;
constexpr Byte kProxy = 0x21;
constexpr Byte kTlsField = 0x20;
constexpr Byte kCommonName = 0x22;

struct Field {
  Byte type = 0;
  ByteView value;
};

/// Takes the next field of type, length and value. Returns nothing when none is left, or it is
/// longer than what is there.
std::optional<Field> next_field(ByteView& rest) {
  if (rest.size() < 3) return std::nullopt;
  const std::size_t size = number_at(rest, 1);
  if (rest.size() - 3 < size) return std::nullopt;
  Field field{rest[0], rest.subspan(3, size)};
  rest = rest.subspan(3 + size);
  return field;
}

void read_tls(ByteView value, ProxyHeader& header) {
  constexpr Byte kIsTls = 0x01;
  constexpr Byte kHasCertificate = 0x02 | 0x04;  // in this connection or in this session
  if (value.size() < 5) return;
  const Byte client = value[0];
  const ByteView verdict = value.subspan(1, 4);
  value = value.subspan(5);
  header.is_tls = (client & kIsTls) != 0;
  header.is_verified = header.is_tls && (client & kHasCertificate) != 0 &&
                       std::ranges::all_of(verdict, [](Byte byte) { return byte == 0; });
  header.common_name = {};
  while (const auto field = next_field(value)) {
    const std::string_view name = text_of(field->value);
    // No user can have a name with a NUL in it.
    if (field->type == kCommonName && header.is_verified && !name.contains('\0')) {
      header.common_name = name;
    }
  }
}

/// The address and what follows it; a family that is not of the internet has none.
bool read_place(Byte family, ByteView& rest, ProxyHeader& header) {
  constexpr std::size_t kUnixSize = 216;
  const bool is_v6 = family == 2;
  const std::size_t size = is_v6 ? 16 : 4;
  if (family == 3) return cut(rest, kUnixSize).size() == kUnixSize;
  if (family != 1 && family != 2) return family == 0;
  const ByteView both = cut(rest, 2 * size + 4);
  if (both.size() < 2 * size + 4) return false;
  header.place = {address_text(is_v6 ? AF_INET6 : AF_INET, both.data()), number_at(both, 2 * size)};
  return true;
}

/// Whether all that has come is the beginning of the signature.
bool is_beginning(ByteView bytes, std::string_view signature) {
  const std::string_view text = text_of(bytes).substr(0, signature.size());
  return signature.starts_with(text);
}

}  // namespace

ParsedProxyHeader parse_proxy_v1(ByteView bytes) {
  if (!is_beginning(bytes, kSignature1)) return wrong(kNoHeader);
  const std::string_view text = text_of(bytes).substr(0, kLongestLine);
  const auto end = text.find("\r\n");
  if (end == std::string_view::npos) {
    if (text.size() == kLongestLine) return wrong(kBadHeader);
    return std::nullopt;
  }
  ProxyHeader header{.size = end + 2};
  const auto words = words_of(text.substr(0, end));
  if (words.size() >= 2 && words[1] == "UNKNOWN") return header;
  if (words.size() != 6 || (words[1] != "TCP4" && words[1] != "TCP6")) return wrong(kBadHeader);
  const int family = words[1] == "TCP4" ? AF_INET : AF_INET6;
  const std::string client = checked_address(family, words[2]);
  const auto port = port_of(words[4]);
  if (client.empty() || checked_address(family, words[3]).empty() || !port || !port_of(words[5])) {
    return wrong(kBadHeader);
  }
  header.place = {client, *port};
  return header;
}

ParsedProxyHeader parse_proxy_v2(ByteView bytes) {
  if (!is_beginning(bytes, kSignature2)) return wrong(kNoHeader);
  if (bytes.size() < kFixedSize) return std::nullopt;
  const Byte command = bytes[12];
  const std::size_t rest_size = number_at(bytes, 14);
  if ((command != kLocal && command != kProxy) || rest_size > kLongestRest) {
    return wrong(kBadHeader);
  }
  ProxyHeader header{.size = kFixedSize + rest_size};
  if (bytes.size() < header.size) return std::nullopt;
  if (command == kLocal) return header;
  ByteView rest = bytes.subspan(kFixedSize, rest_size);
  if (!read_place(bytes[13] >> 4U, rest, header)) return wrong(kBadHeader);
  while (const auto field = next_field(rest)) {
    if (field->type == kTlsField) read_tls(field->value, header);
  }
  if (!rest.empty()) return wrong(kBadHeader);
  return header;
}

}  // namespace mq::net
