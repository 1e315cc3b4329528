#include "cli/signal_options.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <vector>

using namespace mq;
using Command = cli::SignalOptions::Command;

namespace {

std::expected<cli::SignalOptions, Error> parse(std::initializer_list<const char*> words) {
  std::vector<std::string> texts{"signal"};
  texts.insert(texts.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  return cli::parse_signal(arguments);
}

std::string mistake_in(std::initializer_list<const char*> words) {
  const auto options = parse(words);
  return options ? "" : options.error().message;
}

}  // namespace

TEST_CASE("a command is for one broker or for all of them") {
  const auto one = parse({"-p", "12", "config-reload"});
  REQUIRE(one.has_value());
  CHECK(one->pid == 12);
  CHECK(one->command == Command::config_reload);
  const auto all = parse({"-a", "tree-print"});
  REQUIRE(all.has_value());
  CHECK(all->pid == 0);
  CHECK(all->command == Command::tree_print);
}

TEST_CASE("a mistake is named with the way out") {
  const std::string end = "; mqbroker signal --help shows how";
  CHECK(mistake_in({"shutdown"}) == "signal: it takes one of -a and -p PID" + end);
  CHECK(mistake_in({"-a", "-p", "1", "shutdown"}) == "signal: it takes one of -a and -p PID" + end);
  CHECK(mistake_in({"-a"}) == "signal: it takes one command" + end);
  CHECK(mistake_in({"-a", "shutdow"}) ==
        "signal: it does not know \"shutdow\" (did you mean shutdown?)" + end);
  CHECK(mistake_in({"-p", "0", "shutdown"}) == "-p 0: must be the id of a process");
}
