#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace mq::cli {

namespace {

constexpr Millis kFirst = Seconds(1);
constexpr Millis kInterval = Millis(250);
constexpr Millis kRateWindow = Seconds(5);

std::string words_of_rate(double lines) {
  return lines < 9.95 ? fmt::format("{:.1f}", lines) : fmt::format("{:.0f}", lines);
}

}  // namespace

std::string words_of_bytes(double bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

void Progress::start(Instant now) {
  if (!notices_.has_watcher()) return;
  samples_ = {{now, {}}};
  next_ = now + kFirst;
}

void Progress::show(const Transferred& so_far, Instant now) {
  while (samples_.size() > 1 && samples_[1].at <= now - kRateWindow) samples_.pop_front();
  const auto& [since, before] = samples_.front();
  const double seconds = std::max(std::chrono::duration<double>(now - since).count(), 0.001);
  const auto rate = [&](std::uint64_t count, std::uint64_t earlier) {
    return static_cast<double>(count - std::min(earlier, count)) / seconds;
  };
  std::string words;
  if (unit_ == Unit::lines) words = fmt::format("{} lines, ", so_far.messages);
  words += words_of_bytes(static_cast<double>(so_far.bytes));
  if (total_ && *total_ > 0) {
    words += fmt::format(" of {}, {} %", words_of_bytes(static_cast<double>(*total_)),
                         std::min<std::uint64_t>(100, so_far.bytes * 100 / *total_));
  }
  words += unit_ == Unit::lines
               ? fmt::format(", {} lines/s", words_of_rate(rate(so_far.messages, before.messages)))
               : fmt::format(", {}/s", words_of_bytes(rate(so_far.bytes, before.bytes)));
  if (unit_ == Unit::lines) words += fmt::format(", {} in flight", so_far.in_flight);
  notices_.status(words);
  samples_.push_back({now, so_far});
  next_ = now + kInterval;
}

void Progress::clear() {
  notices_.status({});
  next_ = kNever;
}

}  // namespace mq::cli
