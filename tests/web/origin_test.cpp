#include "web/origin.hpp"

#include <doctest/doctest.h>

using mq::web::origin_of;

TEST_CASE("an origin is a scheme, a host and a port, however it is written") {
  CHECK(origin_of("https://Example.ORG") == "https://example.org:443");
  CHECK(origin_of("https://example.org:443") == "https://example.org:443");
  CHECK(origin_of("http://example.org") == "http://example.org:80");
  CHECK(origin_of("http://[::1]") == "http://[::1]:80");
  CHECK(origin_of("HTTP://[::1]:8080") == "http://[::1]:8080");
  CHECK(origin_of("app://localhost") == "app://localhost");
}

TEST_CASE("what is no origin is told apart") {
  for (const auto* text : {"", "null", "example.org", "://example.org", "http://", "http://a/",
                           "http://a/b", "http://a:b", "http://a:", "http://a:99999", "http://a b",
                           "http://me@a", "http://::1", "http://a:1:2", "http://a?", "*"}) {
    CAPTURE(text);
    CHECK_FALSE(origin_of(text).has_value());
  }
}
