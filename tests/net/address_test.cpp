#include "net/address.hpp"

#include <doctest/doctest.h>

using namespace mq;
using net::address_of;

TEST_CASE("IPv4 that comes as IPv6 is IPv4, and has neighbours of its own") {
  const auto mapped = net::unmapped(address_of("::ffff:192.0.2.7", 1234));
  CHECK(net::text_of(mapped) == "192.0.2.7");
  CHECK(net::port_of(mapped) == 1234);
  CHECK(net::neighbour_of(mapped) == "192.0.2.7");
  CHECK(net::text_of(net::unmapped(address_of("2001:db8::1", 1))) == "2001:db8::1");
  CHECK(net::text_of(net::unmapped(address_of("192.0.2.7", 1))) == "192.0.2.7");
  CHECK(net::text_of(net::unmapped({})).empty());
}
