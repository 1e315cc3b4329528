#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <vector>

#include "certificate.hpp"
#include "crypto/tls.hpp"

using namespace mq;
using namespace mq::crypto;
using support::Certificate;
using State = Filter::State;

namespace {

/// A client and a server, and nothing between them.
struct Pair {
  Pair(const TlsClientOptions& of_client, const TlsServerOptions& of_server,
       const std::string& host = "localhost") {
    const auto make_client = tls_client(of_client, host);
    const auto make_server = tls_server(of_server);
    REQUIRE_MESSAGE(make_client.has_value(), make_client.error().message);
    REQUIRE_MESSAGE(make_server.has_value(), make_server.error().message);
    client = (*make_client)();
    server = (*make_server)();
    settle();
  }

  /// Moves bytes in pieces of `step` until nobody has more to say.
  void settle() {
    while (move(*client, *server, at_server) || move(*server, *client, at_client)) {
    }
  }
  bool move(Filter& from, Filter& to, std::string& heard) const {
    std::vector<Byte> bytes;
    from.take_output(bytes);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      to.on_received(ByteView(bytes).subspan(at, std::min(step, bytes.size() - at)));
      std::array<Byte, 1000> room;
      while (const std::size_t size = to.read(room)) heard += text_of(std::span(room).first(size));
    }
    return !bytes.empty();
  }

  std::size_t step = 100'000;
  std::unique_ptr<Filter> client;
  std::unique_ptr<Filter> server;
  std::string at_client;
  std::string at_server;
};

const Certificate& house() {
  static const Certificate certificate("house", "DNS:localhost,IP:127.0.0.1");
  return certificate;
}

TlsServerOptions server_options() {
  return {.certificate = house().file(), .key = house().key_file()};
}
TlsClientOptions client_options() {
  return {.ca_file = house().file()};
}

}  // namespace

TEST_CASE("bytes come out as they went in, in both directions and both versions") {
  for (const auto version : {TlsVersion::v1_2, TlsVersion::v1_3}) {
    auto options = client_options();
    options.version = version;
    Pair pair(options, server_options());
    REQUIRE(pair.client->state() == State::open);
    REQUIRE(pair.server->state() == State::open);
    const std::string large(300'000, 'x');
    pair.client->write(bytes_of("hello"));
    pair.server->write(bytes_of(large));
    pair.settle();
    CHECK(pair.at_server == "hello");
    CHECK(pair.at_client == large);
  }
}

TEST_CASE("it does not matter how the network cuts the bytes") {
  Pair pair(client_options(), server_options());
  pair.step = 1;
  pair.client->write(bytes_of("hello"));
  pair.client->write(bytes_of(" again"));
  pair.settle();
  CHECK(pair.at_server == "hello again");
}

TEST_CASE("a goodbye closes the other side") {
  Pair pair(client_options(), server_options());
  pair.client->write(bytes_of("bye"));
  pair.client->close();
  pair.settle();
  CHECK(pair.at_server == "bye");
  CHECK(pair.server->state() == State::closed);
}

TEST_CASE("a certificate has to be for the host, whether that is a name or an address") {
  CHECK(Pair(client_options(), server_options(), "127.0.0.1").client->state() == State::open);
  for (const std::string host : {"example.org", "127.0.0.2", "::1"}) {
    const Pair pair(client_options(), server_options(), host);
    CHECK(pair.client->state() == State::failed);
    CHECK(pair.client->trouble() == "its certificate is for localhost, 127.0.0.1, not for " + host);
    CHECK(pair.server->state() == State::failed);
  }
  auto options = client_options();
  options.is_host_checked = false;
  CHECK(Pair(options, server_options(), "example.org").client->state() == State::open);
}

TEST_CASE("a certificate of nobody known is refused, and the server hears why") {
  const Certificate stranger("stranger", "DNS:localhost");
  const Pair pair({.ca_file = stranger.file(), .is_host_checked = false}, server_options());
  CHECK(pair.client->trouble() ==
        "the certificate of CN = house, issued by CN = house, is not trusted: self-signed "
        "certificate");
  CHECK(pair.server->trouble() == "TLS: the peer refuses it: unknown CA");
}

TEST_CASE("the client's certificate is asked for, checked, and names its user") {
  auto of_server = server_options();
  of_server.ca_file = house().file();
  of_server.user_name = UserName::common_name;
  auto of_client = client_options();
  of_client.certificate = house().file();
  of_client.key = house().key_file();
  const Pair pair(of_client, of_server);
  REQUIRE(pair.server->state() == State::open);
  CHECK(pair.server->user_name() == "house");

  of_server.user_name = UserName::subject;
  CHECK(Pair(of_client, of_server).server->user_name() == "CN=house");

  const Pair without(client_options(), of_server);
  CHECK(without.server->trouble() == "TLS: peer did not return a certificate");
  CHECK(without.client->state() == State::failed);
  CHECK(without.client->trouble() == "TLS: the peer refuses it: it wants a client certificate");
}

TEST_CASE("a certificate without a common name names nobody") {
  const Certificate nameless("", "DNS:localhost");
  auto of_server = server_options();
  of_server.ca_file = nameless.file();
  of_server.user_name = UserName::common_name;
  auto of_client = client_options();
  of_client.certificate = nameless.file();
  of_client.key = nameless.key_file();
  CHECK(Pair(of_client, of_server).server->trouble() ==
        "its certificate has no common name, which would name its user");
}

TEST_CASE("a server tells strangers apart at their first bytes, and sends them nothing") {
  for (const auto& [bytes, words] :
       {std::pair<std::string_view, std::string_view>{
            "\x10\x0c", "it speaks MQTT without TLS, and this listener is for TLS"},
        {"GET /", "it speaks HTTP, and this listener is for MQTT in TLS"},
        {"SSH-2.0-x", "what it speaks is no TLS, and this listener is for TLS"},
        {"PROXY TCP4 ", "it begins with a PROXY header, and enable_proxy_protocol is not given"},
        {"\r\n\r\n", "it begins with a PROXY header, and enable_proxy_protocol is not given"},
        {"\xff", "what it speaks is no TLS, and this listener is for TLS"}}) {
    const auto filter = tls_server(server_options()).value()();
    filter->on_received(bytes_of(bytes));
    CHECK(filter->state() == State::failed);
    CHECK(filter->trouble() == words);
    std::vector<Byte> out;
    filter->take_output(out);
    CHECK(out.empty());
  }
}

TEST_CASE("a server's options that cannot be used are named") {
  auto options = server_options();
  options.crl_file = "/none";
  CHECK(tls_server(options).error().message ==
        "cannot read the CRL file /none: No such file or directory");
  options = server_options();
  options.ciphers_tls1_3 = "none";
  CHECK(tls_server(options).error().message.starts_with("not every cipher of \"none\" is known"));
}

TEST_CASE("a key that is not the certificate's is refused, be it of the same type or of another") {
  const Certificate other("other", "DNS:localhost");
  const std::string edwards = other.file() + ".ed25519";
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  std::FILE* file = std::fopen(edwards.c_str(), "w");
  REQUIRE(PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::fclose(file);
  for (const auto& path : {other.key_file(), edwards}) {
    const std::string words =
        "cannot use the key " + path + ": it does not belong to " + house().file();
    auto of_server = server_options();
    of_server.key = path;
    const auto server = tls_server(of_server);
    REQUIRE_FALSE(server.has_value());
    CHECK(server.error().option == &TlsServerOptions::key);
    CHECK(server.error().message == words);
    auto of_client = client_options();
    of_client.certificate = house().file();
    of_client.key = path;
    const auto client = tls_client(of_client, "localhost");
    REQUIRE_FALSE(client.has_value());
    CHECK(client.error().message == words);
  }
}

TEST_CASE("a key that both sides have takes the place of certificates") {
  const std::string file = house().file() + ".psk";
  std::ofstream(file) << "# keys\n\nalice:00ff\r\nbob:c0ffee\nalice:11\n";
  const TlsServerOptions of_server{
      .psk_file = file, .psk_hint = "h", .user_name = UserName::common_name};
  for (const auto version : {TlsVersion::v1_2, TlsVersion::v1_3}) {
    const TlsClientOptions alice{
        .version = version, .psk_identity = "alice", .psk = std::string("\0\xff", 2)};
    Pair pair(alice, of_server);
    REQUIRE(pair.client->state() == State::open);
    CHECK(pair.server->user_name() == "alice");
    pair.client->write(bytes_of("hello"));
    pair.settle();
    CHECK(pair.at_server == "hello");

    const TlsClientOptions eve{.version = version, .psk_identity = "eve", .psk = "x"};
    CHECK(Pair(eve, of_server).server->trouble() == "no key is shared with \"eve\" (see psk_file)");
    const TlsClientOptions liar{.version = version, .psk_identity = "eve\" is \"in", .psk = "x"};
    CHECK(Pair(liar, of_server).server->trouble() ==
          R"(no key is shared with "eve\" is \"in" (see psk_file))");
    const TlsClientOptions wrong{.version = version, .psk_identity = "alice", .psk = "x"};
    const Pair refused(wrong, of_server);
    CHECK(refused.client->state() == State::failed);
    CHECK(refused.server->trouble().ends_with(", with the key of \"alice\" (see psk_file)"));
    // A server without the key must not get by with a certificate.
    CHECK(Pair(alice, server_options()).client->state() == State::failed);
  }
}

TEST_CASE("a file of shared keys that is wrong is named with the line") {
  const std::string file = house().file() + ".bad";
  for (const std::string line : {"alice", ":00", "alice:", "alice:0", "alice:zz"}) {
    std::ofstream(file) << "bob:00\n" << line << "\n";
    CHECK(tls_server({.psk_file = file}).error().message ==
          file + ":2: should be a name, a colon and a key in hexadecimal digits");
  }
  CHECK(tls_server({.psk_file = "/none"}).error().message ==
        "cannot read the psk_file /none: No such file or directory");
}
