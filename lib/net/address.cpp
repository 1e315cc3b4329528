#include "net/address.hpp"

#include <arpa/inet.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

namespace mq::net {

std::string text_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET6) {
    uv_ip6_name(reinterpret_cast<const sockaddr_in6*>(&address), text.data(), text.size());
  } else if (address.ss_family == AF_INET) {
    uv_ip4_name(reinterpret_cast<const sockaddr_in*>(&address), text.data(), text.size());
  }
  return text.data();
}

std::uint16_t port_of(const sockaddr_storage& address) {
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

std::string neighbour_of(const sockaddr_storage& address) {
  sockaddr_storage network = address;
  if (address.ss_family == AF_INET6) {
    auto& bytes = reinterpret_cast<sockaddr_in6&>(network).sin6_addr.s6_addr;
    std::fill(std::begin(bytes) + 8, std::end(bytes), std::uint8_t{0});
  }
  return text_of(network);
}

sockaddr_storage address_of(const std::string& text, std::uint16_t port) {
  sockaddr_storage address{};
  if (uv_ip4_addr(text.c_str(), port, reinterpret_cast<sockaddr_in*>(&address)) == 0)
    return address;
  if (uv_ip6_addr(text.c_str(), port, reinterpret_cast<sockaddr_in6*>(&address)) == 0)
    return address;
  return {};
}

sockaddr_storage unmapped(const sockaddr_storage& address) {
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  if (address.ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return address;
  sockaddr_storage mapped{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(mapped);
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  std::memcpy(&v4.sin_addr, &v6.sin6_addr.s6_addr[12], sizeof(v4.sin_addr));
  return mapped;
}

}  // namespace mq::net
