#include "server/config_options.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "server/config_file.hpp"

using namespace mq::server;

namespace {

std::string text_of_file(const std::string& path) {
  std::ifstream file(path);
  CAPTURE(path);
  REQUIRE(file.is_open());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string manual() {
  return text_of_file(MQ_SOURCE_DIR "/man/mqbroker.conf.5");
}

const std::string kBridge = "connection out\naddress other\ntopic #\n";

/// The paragraphs of the manual's lists: an option and what is said about it.
std::set<std::string> names_in_manual(const std::string& text) {
  static const std::regex kItem(R"(\n\.It Ic ([a-z0-9_.]+))");
  std::set<std::string> names;
  for (std::sregex_iterator it(text.begin(), text.end(), kItem), end; it != end; ++it) {
    names.insert((*it)[1]);
  }
  return names;
}

std::string paragraph_of(const std::string& text, std::string_view name) {
  const auto start = text.find("\n.It Ic " + std::string(name) + " ");
  REQUIRE(start != std::string::npos);
  return text.substr(
      start, std::min(text.find("\n.El", start), text.find("\n.It Ic ", start + 40)) - start);
}

struct Effect {
  std::string option;
  std::string file;  ///< of the test
  std::string test;  ///< a part of its name
};

std::vector<Effect> read_effects() {
  std::istringstream lines(text_of_file(MQ_SOURCE_DIR "/tests/server/option_effects.txt"));
  std::vector<Effect> effects;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    Effect& effect = effects.emplace_back();
    std::istringstream words(line);
    words >> effect.option >> effect.file >> std::ws;
    std::getline(words, effect.test);
  }
  return effects;
}

/// Whether a test of doctest or bats has this in its name, wherever the name is broken.
bool has_test(const std::string& text, const std::string& part) {
  static const std::regex kName(R"rx((?:TEST_CASE\(\s*|\n@test )((?:"(?:[^"\\]|\\.)*"\s*)+))rx");
  for (std::sregex_iterator it(text.begin(), text.end(), kName), end; it != end; ++it) {
    const std::string name = std::regex_replace((*it)[1].str(), std::regex("\"\\s+\""), "");
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("every option is in a test that shows what it changes") {
  std::set<std::string> shown;
  for (const auto& [option, file, test] : read_effects()) {
    CAPTURE(option);
    CAPTURE(test);
    const std::string text = text_of_file(MQ_SOURCE_DIR "/tests/" + file);
    CHECK(has_test(text, test));
    CHECK(text.find(option) != std::string::npos);
    CHECK(find_option(option) != nullptr);
    CHECK(shown.insert(option).second);
  }
  for (const ConfigOption& option : config_options()) {
    CAPTURE(option.name);
    if (option.scope != Scope::bridge) CHECK(shown.contains(std::string(option.name)));
  }
}

TEST_CASE("every option is in the manual, and the manual has no others") {
  std::set<std::string> names;
  for (const ConfigOption& option : config_options()) names.insert(std::string(option.name));
  CHECK(names == names_in_manual(manual()));
}

TEST_CASE("the manual states the default that the table states, and none where there is none") {
  const std::string text = manual();
  for (const ConfigOption& option : config_options()) {
    CAPTURE(option.name);
    const std::string paragraph = paragraph_of(text, option.name);
    if (option.default_value.empty()) {
      CHECK(paragraph.find("\nDefault: ") == std::string::npos);
    } else {
      CHECK(paragraph.find("\nDefault: " + std::string(option.default_value) + ".") !=
            std::string::npos);
    }
  }
}

TEST_CASE("the default that the table states is what holds when the option is not given") {
  for (const ConfigOption& option : config_options()) {
    if (option.default_value.empty()) continue;
    std::istringstream words{std::string(option.default_value)};
    const std::string section = option.scope == Scope::bridge ? kBridge : "";
    std::string text = section;
    for (std::string word; words >> word;) text += std::string(option.name) + " " + word + "\n";
    CAPTURE(text);
    const auto config = parse_config(text, "x.conf", {});
    REQUIRE(config.has_value());
    CHECK((*config == *parse_config(section, "x.conf", {})));
  }
}

TEST_CASE("an option says what it does in a line, and takes a value") {
  for (const ConfigOption& option : config_options()) {
    CAPTURE(option.name);
    CHECK(option.help.size() > 10);
    CHECK(option.help.size() < 90);
    CHECK_FALSE(form_of(option).empty());
  }
}
