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
}
