#include "cli/broker_options.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <vector>

using namespace mq;
using cli::BrokerOptions;

namespace {

std::expected<BrokerOptions, Error> parse(std::initializer_list<const char*> words) {
  std::vector<std::string> texts{"mqbroker"};
  texts.insert(texts.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  return cli::parse_broker(arguments);
}

BrokerOptions options_of(std::initializer_list<const char*> words) {
  const auto options = parse(words);
  REQUIRE(options.has_value());
  return *options;
}

std::string mistake_in(std::initializer_list<const char*> words) {
  const auto options = parse(words);
  return options ? "" : options.error().message;
}

}  // namespace

TEST_CASE("without options there is no file, no port and nothing out of the ordinary") {
  const BrokerOptions options = options_of({});
  CHECK(options.config_file.empty());
  CHECK(options.ports.empty());
  CHECK_FALSE(options.is_daemon);
  CHECK_FALSE(options.is_quiet);
  CHECK_FALSE(options.is_verbose);
  CHECK_FALSE(options.is_config_test);
  CHECK_FALSE(options.wants_help);
  CHECK_FALSE(options.wants_version);
}

TEST_CASE("every option has a long form, and those that mosquitto has a letter for have it, too") {
  CHECK(options_of({"-c", "a.conf"}).config_file == "a.conf");
  CHECK(options_of({"--config-file", "a.conf"}).config_file == "a.conf");
  CHECK(options_of({"-d"}).is_daemon);
  CHECK(options_of({"--daemon"}).is_daemon);
  CHECK(options_of({"-q"}).is_quiet);
  CHECK(options_of({"--quiet"}).is_quiet);
  CHECK(options_of({"-v"}).is_verbose);
  CHECK(options_of({"--verbose"}).is_verbose);
  CHECK(options_of({"-h"}).wants_help);
  CHECK(options_of({"--help"}).wants_help);
  CHECK(options_of({"--version"}).wants_version);
  CHECK(options_of({"--test-config", "-c", "a.conf"}).is_config_test);
}

TEST_CASE("-p may be given several times, and 0 is any free port") {
  CHECK(options_of({"-p", "1884", "--port=1885", "-p1886", "-p", "0"}).ports ==
        std::vector<std::uint16_t>{1884, 1885, 1886, 0});
}

TEST_CASE("values stand behind an equals sign, flags are bundled, -- ends the options") {
  CHECK(options_of({"--config-file=a,b.conf"}).config_file == "a,b.conf");
  const BrokerOptions options = options_of({"-dvc", "a.conf", "--"});
  CHECK(options.is_daemon);
  CHECK(options.is_verbose);
  CHECK(options.config_file == "a.conf");
}

TEST_CASE("a mistake names the option and the remedy") {
  CHECK(mistake_in({"--prot", "1"}) == "unknown option --prot; did you mean --port?");
  CHECK(mistake_in({"-x"}) == "unknown option -x; --help lists all");
  CHECK(mistake_in({"-p"}) == "-p needs PORT behind it");
  CHECK(mistake_in({"-p", "65536"}) ==
        "-p 65536: must be a port, 1 to 65535, or 0 for any that is free");
  CHECK(mistake_in({"-p", "mqtt"}) ==
        "-p mqtt: must be a port, 1 to 65535, or 0 for any that is free");
  CHECK(mistake_in({"-c", ""}) == "-c : the name of the file is missing");
  CHECK(mistake_in({"--quiet=yes"}) == "-q takes no value");
  CHECK(mistake_in({"--test-config"}) ==
        "--test-config needs a file to test; name it with -c FILE");
  CHECK(mistake_in({"a.conf"}).starts_with("unexpected argument \"a.conf\""));
}

TEST_CASE("--help shows every option with what it does") {
  const std::string help = cli::broker_help();
  for (const auto& row : cli::broker_table()) {
    CAPTURE(row.name.name);
    CHECK(help.find("--" + std::string(row.name.name)) != std::string::npos);
    CHECK_FALSE(row.name.help.empty());
  }
}
