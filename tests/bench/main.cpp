#include <sys/resource.h>

#include <charconv>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>

#include "bench/load.hpp"
#include "bench/pipe.hpp"

// load PORT PID SCENARIO [KEY=VALUE ...] - prints one object of JSON, and ends with 1 when anything
// was lost, doubled, out of order or otherwise not as it should be.

namespace {

using namespace mq::bench;

int usage() {
  std::fputs("usage: load PORT PID SCENARIO [KEY=VALUE ...]\n\n", stderr);
  for (const auto& [name, words] : scenarios()) {
    std::fprintf(stderr, "  %-9s %s\n", name.c_str(), words.c_str());
  }
  std::fputs(
      "  sink      counts what comes to a topic, until it was count messages\n"
      "  source    publishes count messages to a topic\n",
      stderr);
  return 2;
}

void print(const Result& result) {
  const Faults& f = result.faults;
  std::printf("{\"faults\": {\"lost\": %llu, \"doubled\": %llu, \"reordered\": %llu, ",
              static_cast<unsigned long long>(f.lost), static_cast<unsigned long long>(f.doubled),
              static_cast<unsigned long long>(f.reordered));
  std::printf("\"wrong\": %llu, \"closed\": %llu}, \"figures\": {",
              static_cast<unsigned long long>(f.wrong), static_cast<unsigned long long>(f.closed));
  const char* comma = "";
  for (const auto& [name, value] : result.figures) {
    std::printf("%s\"%s\": %.6g", comma, name.c_str(), value);
    comma = ", ";
  }
  std::puts("}}");
}

/// Ten thousand connections need as many files.
void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  int pid = 0;
  const std::span<const char* const> words(argv, static_cast<std::size_t>(argc));
  if (words.size() < 4) return usage();
  const auto read = [](std::string_view text, auto& number) {
    return std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{};
  };
  if (!read(words[1], port) || !read(words[2], pid)) return usage();
  const auto plan = read_plan(words.subspan(3));
  if (!plan) {
    std::fprintf(stderr, "load: %s\n", plan.error().c_str());
    return 2;
  }
  allow_many_files();
  try {
    const bool is_pipe = plan->scenario == "sink" || plan->scenario == "source";
    const Result result = is_pipe ? pipe(*plan, port) : load(*plan, port, pid);
    print(result);
    return result.faults.sum() == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "load: %s\n", error.what());
    return 2;
  }
}
