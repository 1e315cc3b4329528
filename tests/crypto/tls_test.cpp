#include "crypto/tls.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace mq;
using namespace mq::crypto;

namespace {

std::unique_ptr<Filter> client(const std::string& host, const TlsClientOptions& options = {}) {
  const auto make = tls_client(options, host);
  REQUIRE(make.has_value());
  return (*make)();
}

std::string output_of(Filter& filter) {
  std::vector<Byte> out;
  filter.take_output(out);
  return std::string(text_of(out));
}

}  // namespace

TEST_CASE("a client speaks first, and names the host that it wants") {
  const auto filter = client("broker.example");
  CHECK(filter->state() == Filter::State::opening);
  const std::string hello = output_of(*filter);
  CHECK(hello.starts_with("\x16\x03"));
  CHECK(hello.contains("broker.example"));
  CHECK(output_of(*filter).empty());
}

TEST_CASE("an address is not named: SNI has names only (RFC 6066, section 3)") {
  CHECK_FALSE(output_of(*client("127.0.0.1")).contains("127.0.0.1"));
  CHECK_FALSE(output_of(*client("::1")).contains("::1"));
}

TEST_CASE("the protocol that is asked for is in the hello") {
  CHECK(output_of(*client("a", {.alpn = "x-amzn-mqtt-ca"})).contains("\x0ex-amzn-mqtt-ca"));
}

TEST_CASE("a server that does not begin with TLS is told apart at its first byte") {
  const auto filter = client("a");
  filter->on_received(bytes_of("HTTP/1.1 400 Bad Request"));
  CHECK(filter->state() == Filter::State::failed);
  CHECK(filter->trouble() == "the server does not speak TLS");
}

TEST_CASE("what is no TLS further on is a failure with words, one byte at a time") {
  const auto filter = client("a");
  for (const char byte : std::string("\x16\x03\x03\x7f\xff garbage ")) {
    filter->on_received(bytes_of({&byte, 1}));
  }
  CHECK(filter->state() == Filter::State::failed);
  CHECK(filter->trouble().starts_with("TLS: "));
}

TEST_CASE("an alert is told in its own words") {
  const auto filter = client("a");
  filter->on_received(bytes_of(std::string_view("\x15\x03\x03\x00\x02\x02\x28", 7)));
  CHECK(filter->state() == Filter::State::failed);
  CHECK(filter->trouble() == "TLS: the peer refuses it: handshake failure");
}

TEST_CASE("what cannot be used is named") {
  const auto words = [](const TlsClientOptions& options) {
    const auto make = tls_client(options, "a");
    return make ? std::string() : make.error().message;
  };
  CHECK(words({.ca_file = "/none.crt"}) ==
        "cannot read the CA file /none.crt: No such file or directory");
  CHECK(words({.ca_file = "/"}) == "cannot read the CA file /: Is a directory");
  CHECK(words({.ca_path = "/none"}) ==
        "cannot read the CA directory /none: No such file or directory");
  CHECK(words({.ca_file = "/dev/null"}).starts_with("cannot use the CA file /dev/null: "));
  CHECK(words({.certificate = "/none", .key = "/none"}) ==
        "cannot read the certificate /none: No such file or directory");
  CHECK(words({.certificate = "/dev/null", .key = "/none"}) ==
        "cannot use the certificate /dev/null: there is none in it, in PEM");
  CHECK(words({.ciphers = "none"}).starts_with("no cipher of \"none\" is known"));
}
