#include "net/address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "base/printable.hpp"

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

std::expected<std::vector<sockaddr_storage>, Error> addresses_of(const std::string& host,
                                                                 std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(host.empty() ? nullptr : host.c_str(),
                                   std::to_string(port).c_str(), &hints, &found);
      code != 0) {
    return std::unexpected(
        Error{"cannot listen on " + printable(host) + ": " + gai_strerror(code)});
  }
  std::vector<sockaddr_storage> addresses;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    sockaddr_storage address{};
    std::memcpy(&address, info->ai_addr, info->ai_addrlen);
    const bool is_known = std::ranges::any_of(addresses, [&address](const auto& known) {
      return std::memcmp(&known, &address, sizeof(address)) == 0;
    });
    if (!is_known) addresses.push_back(address);
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace mq::net
