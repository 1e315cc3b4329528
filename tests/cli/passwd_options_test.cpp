#include "cli/passwd_options.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <vector>

using namespace mq;
using namespace mq::cli;
using crypto::HashKind;

namespace {

std::expected<PasswdOptions, Error> parse(std::initializer_list<std::string> arguments) {
  std::vector<std::string> texts{"passwd"};
  texts.insert(texts.end(), arguments);
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  return parse_passwd(pointers);
}

std::string error_of(std::initializer_list<std::string> arguments) {
  const auto options = parse(arguments);
  return options ? std::string() : options.error().message;
}

}  // namespace

TEST_CASE("what mosquitto_passwd understands is understood") {
  CHECK(parse({"f", "alice"})->user == "alice");
  CHECK(parse({"-c", "f", "alice"})->creates);
  const auto batch = parse({"-c", "-b", "-H", "sha512", "f", "alice", "se cret"}).value();
  CHECK(batch.password == "se cret");
  CHECK(batch.recipe.kind == HashKind::sha512);
  CHECK(parse({"-b", "--", "f", "alice", "-secret"})->password == "-secret");
  CHECK(parse({"-D", "f", "alice"})->deletes);
  CHECK(parse({"-U", "f"})->hashes_all);
  CHECK(parse({"-c", "-", "alice"})->file == "-");
  CHECK(parse({"-H", "argon2id", "f", "alice"})->recipe.kind == HashKind::argon2id);
  CHECK(parse({"-I", "7", "f", "alice"})->recipe.iterations == 7);
  CHECK(parse({"f", "alice"})->recipe.iterations == 100'000);
}

TEST_CASE("what makes no sense is said to make none") {
  CHECK(error_of({"f"}).contains("it takes FILE and USER"));
  CHECK(error_of({"-b", "f", "alice"}).contains("it takes FILE, USER and PASSWORD"));
  CHECK(error_of({"-U", "f", "alice"}).contains("it takes FILE and nothing else"));
  CHECK(error_of({"-D", "-c", "f", "alice"}).contains("three different things"));
  CHECK(error_of({"-f", "f", "alice"}).contains("-f is about -c"));
  CHECK(error_of({"-H", "md5", "f", "alice"}).contains("must be sha512-pbkdf2"));
  CHECK(error_of({"-I", "0", "f", "alice"}).contains("must be a number"));
  CHECK(error_of({"-b", "f", "alice", ""}).contains("the password is empty"));
  for (const std::string user : {"", "a:b", "a\nb", "#a", " a", "a "}) {
    CAPTURE(user);
    CHECK(error_of({"f", user}).contains("the user's name must"));
  }
}
