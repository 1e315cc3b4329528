#include "server/config_substitute.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace mq;
using server::substituted;

namespace {

std::string text_of(std::string_view value) {
  const auto text = substituted(value);
  return text ? *text : "error: " + text.error().message;
}

}  // namespace

TEST_CASE("a value without anything to replace stays as it is") {
  for (const char* value : {"", "plain", "$", "$$", "cost $5", "${", "${}", "${not a name}", "a$b}",
                            "${1st}", "$(date)", "price{$}"}) {
    CHECK(text_of(value) == value);
  }
}

TEST_CASE("${NAME} is the environment variable, as often as it is there") {
  setenv("MQ_TEST_NAME", "a b", 1);
  CHECK(text_of("${MQ_TEST_NAME}") == "a b");
  CHECK(text_of("<${MQ_TEST_NAME}|${MQ_TEST_NAME}>") == "<a b|a b>");
  CHECK(text_of("$${MQ_TEST_NAME}") == "${MQ_TEST_NAME}");
  unsetenv("MQ_TEST_NAME");
  CHECK(text_of("${MQ_TEST_NAME}") ==
        "error: the environment has no variable MQ_TEST_NAME (write $${ for ${)");
}

TEST_CASE("a variable or a file that is not closed is an error") {
  CHECK(text_of("a${HOME") == "error: ${HOME is not closed by } (write $${ for ${)");
  CHECK(text_of("${HOME/b c") == "error: ${HOME is not closed by } (write $${ for ${)");
  CHECK(text_of("${file:/a b") == "error: ${file:/a b is not closed by } (write $${ for ${)");
  for (const char* value : {"a${", "${1", "${ HOME", "${/a"}) CHECK(text_of(value) == value);
  CHECK(text_of("$${HOME") == "${HOME");
}

TEST_CASE("${file:PATH} is the one line of the file, without what surrounds it") {
  const auto path = (std::filesystem::temp_directory_path() / "mq-substitute-test").string();
  std::ofstream(path) << "s3cret ${MQ_TEST_NAME}\n";
  CHECK(text_of("x${file:" + path + "}y") == "xs3cret ${MQ_TEST_NAME}y");
  std::ofstream(path) << "one\ntwo\n";
  CHECK(text_of("${file:" + path + "}") == "error: " + path + " holds more than one line");
  std::filesystem::remove(path);
  CHECK(text_of("${file:" + path + "}").starts_with("error: cannot read " + path));
}
