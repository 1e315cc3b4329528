#include "server/brokers.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>

#include "server/text_file.hpp"

namespace mq::server {

std::vector<pid_t> brokers_that_run() {
  std::vector<pid_t> found;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", code)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size() || pid == getpid()) continue;
    const auto program = contents_of(entry.path() / "comm");
    if (program && trimmed(*program) == "mqbroker") found.push_back(pid);
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace mq::server
