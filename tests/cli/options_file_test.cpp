#include "cli/options_file.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/pub_options.hpp"
#include "cli/sub_options.hpp"

using namespace mq;
using namespace mq::cli;

namespace {

std::vector<OptionName> table() {
  return names_of(sub_table());
}

/// "topic=a/b, verbose=", or the words of the failure.
std::string read(std::string_view text) {
  const auto given = parse_options_file(table(), text, "file");
  if (!given) return given.error().message;
  std::string words;
  for (const Given& one : *given) {
    words += (words.empty() ? "" : ", ") + std::string(table()[one.row].name) + "=" + one.value;
  }
  std::ranges::replace(words, kJoint, '|');
  return words;
}

/// A directory with a file of options in it.
class Directory {
 public:
  Directory() : path_(std::filesystem::temp_directory_path() / "mq.options.XXXXXX") {
    std::string name = path_.string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string add(const std::string& name, std::string_view text) const {
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

template <class Options>
std::expected<Options, Error> parse(std::vector<std::string> arguments,
                                    std::span<const std::string> files) {
  arguments.insert(arguments.begin(), "program");
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  if constexpr (std::is_same_v<Options, SubOptions>) return parse_sub(pointers, files);
  if constexpr (std::is_same_v<Options, PubOptions>) return parse_pub(pointers, files);
}

std::expected<SubOptions, Error> sub(std::vector<std::string> arguments,
                                     std::span<const std::string> files) {
  return parse<SubOptions>(std::move(arguments), files);
}

}  // namespace

TEST_CASE("each line is an option, and its value is everything behind the first space") {
  CHECK(read("-t a/b\n--host my host \n-v\n") == "topic=a/b, host=my host , verbose=");
  CHECK(read("-t  two  spaces") == "topic= two  spaces");
  CHECK(read("-u \n") == "username=");
  CHECK(read("--qos=1\r\n") == "qos=1");
  CHECK(read("-t --help") == "topic=--help");
}

TEST_CASE("comments and empty lines say nothing, # elsewhere is part of a value") {
  CHECK(read("# -t a\n\n-t a/#\n") == "topic=a/#");
  CHECK(read("") == "");
}

TEST_CASE("-D has its values on one line, the last one with its spaces") {
  CHECK(read("-D connect user-property a key and a value") ==
        "property=connect|user-property|a|key and a value");
  CHECK(read("-D subscribe subscription-identifier 5") ==
        "property=subscribe|subscription-identifier|5");
  CHECK(read("-D connect") == "file:1: -D needs COMMAND NAME VALUE behind it");
}

TEST_CASE("a mistake is told with file and line") {
  CHECK(read("-v\ntopic a") == "file:2: must begin with an option, such as -h");
  CHECK(read("--tpoic a") == "file:1: unknown option --tpoic; did you mean --topic?");
  CHECK(read("-t") == "file:1: -t needs TOPIC behind it");
  CHECK(read("-o other") == "file:1: a file of options cannot name another one");
  CHECK(read(std::string_view("-t a\0b", 6)) == "file:1: has a NUL in it");
}

TEST_CASE("the command line goes before the file; -o before the usual files; ours before theirs") {
  const Directory directory;
  const std::vector<std::string> files = {directory.path() + "/mqsub",
                                          directory.path() + "/mosquitto_sub"};
  CHECK(sub({"-t", "a"}, files)->connection.endpoint.port == 1883);
  directory.add("mosquitto_sub", "-p 1\n-t theirs");
  CHECK(sub({"-t", "a"}, files)->connection.endpoint.port == 1);
  CHECK(sub({"-t", "a"}, files)->filters == std::vector<std::string>{"theirs", "a"});
  directory.add("mqsub", "-p 2");
  CHECK(sub({"-t", "a"}, files)->connection.endpoint.port == 2);
  CHECK(sub({"-t", "a", "-p", "3"}, files)->connection.endpoint.port == 3);
  const std::string other = directory.add("other", "-p 4");
  CHECK(sub({"-t", "a", "-o", other}, files)->connection.endpoint.port == 4);
}

TEST_CASE("what excludes an option of the command line is not read from the file") {
  const Directory directory;
  const std::string file = directory.add("options", "-u me\n--pw-file x\n");
  for (const auto* option : {"-P", "--pw-file", "--pw-env"}) {
    const auto options = sub({"-t", "a", option, "y"}, {&file, 1});
    REQUIRE(options);
    CHECK(options->connection.password_file.value_or("y") == "y");
  }
  const std::string id = directory.add("id", "-i me\n");
  CHECK(sub({"-t", "a", "-I", "you"}, {&id, 1})->connection.client_id == std::nullopt);
  const std::string lines = directory.add("lines", "-t a\n-m x\n");
  for (const auto* option : {"-l", "-s", "-n", "--json-lines", "-my", "-fy"}) {
    const auto options = parse<PubOptions>({option}, {&lines, 1});
    REQUIRE_MESSAGE(options, option);
    CHECK(options->sources.size() == 1);
  }
  CHECK(parse<PubOptions>({"-r"}, {&lines, 1})->message == "x");
  const std::string both = directory.add("both", "-t a\n-m x\n-n\n");
  CHECK_FALSE(parse<PubOptions>({"-r"}, {&both, 1}));
}

TEST_CASE("a value that an option does not take is told with its place in the file") {
  const Directory directory;
  const std::string file = directory.add("mqsub", "# mine\n-q 3\n");
  CHECK(sub({"-t", "a"}, {&file, 1}).error().message == file + ":2: -q 3: must be 0, 1 or 2");
}

TEST_CASE("-o with a file that is not there is a mistake; --help does without any") {
  const auto failed = sub({"-t", "a", "-o", "/nonexistent"}, {});
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().message == "cannot read /nonexistent: No such file or directory");
  CHECK(sub({"--help", "-o", "/nonexistent"}, {})->connection.wants_help);
}

TEST_CASE("the usual files are where the environment says") {
  CHECK(default_options_files("mqsub", "mosquitto_sub", "/x", "/home/me") ==
        std::vector<std::string>{"/x/mqsub", "/x/mosquitto_sub"});
  CHECK(default_options_files("mqsub", "mosquitto_sub", "", "/home/me") ==
        std::vector<std::string>{"/home/me/.config/mqsub", "/home/me/.config/mosquitto_sub"});
  CHECK(default_options_files("mqsub", "mosquitto_sub", nullptr, nullptr).empty());
}
