#include "server/log.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace mq;
using namespace mq::server;

namespace {

WallTime still() {
  return WallTime(std::chrono::seconds(1'795'470'328));
}

class LogFile {
 public:
  LogFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mq.XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    directory_ = pattern;
    config.to_stderr = false;
    config.file = directory_ / "a.log";
  }
  ~LogFile() { std::filesystem::remove_all(directory_); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  std::string text() const {
    std::ifstream file(config.file);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  LogConfig config;

 private:
  std::filesystem::path directory_;
};

}  // namespace

TEST_CASE("a line begins with the seconds since 1970, as the format says, or with itself") {
  setenv("TZ", "UTC", 1);
  tzset();
  LogConfig config;
  CHECK(timestamp(config, still()) == "1795470328: ");
  config.timestamp_format = "%Y-%m-%dT%H:%M:%S";
  CHECK(timestamp(config, still()) == "2026-11-23T21:45:28: ");
  config.has_timestamp = false;
  CHECK(timestamp(config, still()).empty());
}

TEST_CASE("lines of the wanted types are written, each at once, and no others") {
  LogFile file;
  file.config.types = static_cast<std::uint16_t>(LogType::notice);
  auto log = Log::open(file.config, still);
  REQUIRE(log.has_value());
  CHECK(log->wants(LogType::notice));
  CHECK_FALSE(log->wants(LogType::debug));
  log->write(LogType::notice, "one");
  log->write(LogType::debug, "two");
  CHECK(file.text() == "1795470328: one\n");
}

TEST_CASE("a log that goes nowhere wants no lines") {
  LogConfig config;
  config.to_stderr = false;
  const auto log = Log::open(config, still);
  REQUIRE(log.has_value());
  CHECK_FALSE(log->wants(LogType::error));
}

TEST_CASE("a log file is for its owner only, and goes on where it ended") {
  LogFile file;
  Log::open(file.config, still)->write(LogType::error, "one");
  Log::open(file.config, still)->write(LogType::error, "two");
  CHECK(file.text() == "1795470328: one\n1795470328: two\n");
  struct stat status{};
  REQUIRE(stat(file.config.file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
}

TEST_CASE("a log file that was moved away is opened anew when asked") {
  LogFile file;
  auto log = Log::open(file.config, still);
  REQUIRE(log.has_value());
  log->write(LogType::error, "old");
  std::filesystem::rename(file.config.file, file.config.file + ".1");
  REQUIRE(log->reopen().has_value());
  log->write(LogType::error, "new");
  CHECK(file.text() == "1795470328: new\n");
}

TEST_CASE("a log file that cannot be opened is named") {
  LogConfig config;
  config.file = "/nowhere/at/all.log";
  const auto log = Log::open(config, still);
  REQUIRE_FALSE(log.has_value());
  CHECK(log.error().message ==
        "cannot open the log file /nowhere/at/all.log: No such file or directory");
  config.file_place = "c:3: log_dest";
  CHECK(Log::open(config, still).error().message ==
        "c:3: log_dest: cannot open the log file /nowhere/at/all.log: No such file or directory");
}

TEST_CASE("a line as JSON is an object whatever is in it") {
  LogFile file;
  LogConfig config = file.config;
  config.is_json = true;
  auto log = Log::open(config, [] { return WallTime(std::chrono::microseconds(1'500'000)); });
  REQUIRE(log.has_value());
  log->write(LogType::warning, "a \"b\"\n\xff");
  config.has_timestamp = false;
  REQUIRE(log->use(config).has_value());
  log->write(LogType::error, "c");
  CHECK(file.text() ==
        "{\"time\":\"1970-01-01T00:00:01.500Z\",\"type\":\"warning\",\"message\":\"a "
        "\\\"b\\\"\\n\xef\xbf\xbd\"}\n{\"type\":\"error\",\"message\":\"c\"}\n");
}

TEST_CASE("lines are published under the letter of their type, where that is wanted") {
  auto log = Log::open({.to_stderr = false, .to_topic = true}, [] { return WallTime(); });
  REQUIRE(log.has_value());
  log->write(LogType::error, "nobody listens yet");
  std::string published;
  log->publish_with([&published](LogType type, std::string_view line) {
    published += std::string(topic_of(type)) + " " + std::string(line) + "; ";
  });
  log->write(LogType::error, "a");
  log->write(LogType::subscribe, "b");
  log->write(LogType::debug, "not wanted");
  CHECK(published == "log/E a; ");
  REQUIRE(log->use({.types = kAllLogTypes, .to_stderr = false, .to_topic = true}).has_value());
  log->write(LogType::subscribe, "b");
  log->write(LogType::debug, "c");
  CHECK(published == "log/E a; log/M/subscribe b; log/D c; ");
}

TEST_CASE("a log that cannot go over to another file stays with the old one") {
  LogFile file;
  file.config.has_timestamp = false;
  auto log = Log::open(file.config, [] { return WallTime(); });
  REQUIRE(log.has_value());
  LogConfig other = file.config;
  other.file = "/nowhere/at/all";
  CHECK_FALSE(log->use(other).has_value());
  log->write(LogType::error, "still here");
  CHECK(file.text() == "still here\n");
}
