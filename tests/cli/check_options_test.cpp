#include "cli/check_options.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <vector>

using namespace mq;
using namespace mq::cli;

namespace {

std::expected<CheckOptions, Error> parse(std::initializer_list<std::string> arguments) {
  std::vector<std::string> texts{"check"};
  texts.insert(texts.end(), arguments);
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  return parse_check(pointers);
}

std::string error_of(std::initializer_list<std::string> arguments) {
  const auto options = parse(arguments);
  return options ? std::string() : options.error().message;
}

}  // namespace

TEST_CASE("a check is of files, or asks one question") {
  CHECK_FALSE(parse({"-c", "f"})->right.has_value());
  const auto options = parse({"-c", "f", "--user", "u", "--client", "c", "--read", "a/#"}).value();
  CHECK(options.user == "u");
  CHECK(options.client == "c");
  CHECK(options.right == broker::Right::read);
  CHECK(options.topic == "a/#");
  CHECK(parse({"-c", "f", "--listener", "1883", "--read", "a"})->listener == "1883");
  CHECK(parse({"-c", "f", "--write", "a"})->right == broker::Right::write);
}

TEST_CASE("what cannot be answered is said to be so") {
  CHECK(error_of({}).contains("name it with -c FILE"));
  CHECK(error_of({"-c", "f", "--user", "u"}).contains("add --read FILTER or --write TOPIC"));
  CHECK(error_of({"-c", "f", "--listener", "1"}).contains("--listener belong to a question"));
  CHECK(error_of({"-c", "f", "--write", "a/#"}).contains("without wildcards"));
  CHECK(error_of({"-c", "f", "--read", "a/#/b"}).contains("must be a topic or a filter"));
  CHECK(error_of({"-c", "f", "--read", "a", "--write", "b"}).contains("one question too many"));
}
