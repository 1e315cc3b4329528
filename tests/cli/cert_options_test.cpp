#include "cli/cert_options.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <vector>

using namespace mq;
using namespace mq::cli;

namespace {

std::expected<CertOptions, Error> parse(std::initializer_list<std::string> arguments) {
  std::vector<std::string> texts(arguments);
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  return parse_cert(pointers);
}

std::string error_of(std::initializer_list<std::string> arguments) {
  const auto options = parse(arguments);
  return options ? std::string() : options.error().message;
}

}  // namespace

TEST_CASE("certificates are for hosts, in a directory, and for one client if nobody is named") {
  const auto options = parse({"cert", "dir", "--host", "a.example", "--host=::1"}).value();
  CHECK(options.directory == "dir");
  CHECK(options.hosts == std::vector<std::string>{"a.example", "::1"});
  CHECK(options.clients == std::vector<std::string>{"client"});
}

TEST_CASE("what is said to make certificates is checked before anything is made") {
  CHECK(error_of({"cert"}).starts_with("cert needs one directory"));
  CHECK(error_of({"cert", "--host", "a"}).starts_with("cert needs one directory"));
  CHECK(error_of({"cert", "a", "b", "--host", "c"}).starts_with("cert needs one directory"));
  CHECK(error_of({"cert", "dir"}).starts_with("cert needs the name"));
  CHECK(error_of({"cert", "dir", "--host", "a,DNS:b"}).contains("must be a host name"));
  CHECK(error_of({"cert", "dir", "--host", ""}).contains("must be a host name"));
  CHECK(error_of({"cert", "dir", "--host", std::string(65, 'a')}).contains("must be a host name"));
  for (const std::string client : {"../x", "a b", "ca", "server", ".x", "-x"}) {
    CHECK(error_of({"cert", "dir", "--host", "a", "--client", client}).contains("must be a name"));
  }
  CHECK(error_of({"cert", "d", "--host", "a", "--client", "b", "--client", "b"}).contains("twice"));
}

TEST_CASE("who asks how to make certificates need not say which") {
  CHECK(parse({"cert", "--help"}).value().wants_help);
  CHECK(cert_help().contains("--client NAME"));
}

TEST_CASE("the commands name the first host and the first client") {
  const auto options = parse({"cert", "d", "--host", "h", "--client", "c"}).value();
  const std::string commands = commands_for(options);
  CHECK(commands.starts_with("mqbroker -c d/mqbroker.conf\nmqsub -h h -p 8883 "));
  CHECK(commands.contains("--cert d/c.crt --key d/c.key"));
  CHECK(configuration_for(options).contains("certfile d/server.crt\n"));
}
