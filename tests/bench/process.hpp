#pragma once

#include <signal.h>
#include <sys/types.h>
#include <time.h>

#include <cstddef>
#include <fstream>
#include <string>

namespace mq::bench {

/// The broker's process, as the kernel sees it. With a pid of 0 there is none to look at.
class Process {
 public:
  explicit Process(pid_t pid) : pid_(pid) {}

  /// User and system time of all threads so far, in microseconds.
  double cpu_us() const {
    clockid_t clock{};
    timespec time{};
    if (pid_ == 0 || clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &time) != 0) {
      return 0;
    }
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
  }

  double resident_bytes() const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) * 1024;
    }
    return 0;
  }

  /// Whether proc(5) gives it this state: S, it waits for something to happen; T, it is stopped; or
  /// there is no such process any more.
  bool is(char state) const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
    std::string line;
    if (!std::getline(file, line)) return true;
    return line[line.rfind(')') + 2] == state;
  }
  void stop() const {
    kill(pid_, SIGSTOP);
    while (!is('T')) {
    }
  }
  void go_on() const { kill(pid_, SIGCONT); }

 private:
  pid_t pid_;
};

}  // namespace mq::bench
