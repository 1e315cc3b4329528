#include "broker/sys_topics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "broker/core.hpp"
#include "broker/incoming.hpp"

namespace mq::broker {
namespace {

using Value = std::uint64_t (*)(const Core&);

struct Figure {
  std::string_view topic;  ///< below $SYS/broker/
  Value value;
};

std::uint64_t sleeping(const Core& core) {
  return core.session_count() - core.connected_count();
}

constexpr std::array kFigures{
    Figure{"clients/total", [](const Core& c) -> std::uint64_t { return c.session_count(); }},
    Figure{"clients/maximum", [](const Core& c) { return c.stats().maximum_sessions; }},
    Figure{"clients/connected", [](const Core& c) -> std::uint64_t { return c.connected_count(); }},
    Figure{"clients/active", [](const Core& c) -> std::uint64_t { return c.connected_count(); }},
    Figure{"clients/disconnected", sleeping},
    Figure{"clients/inactive", sleeping},
    Figure{"clients/expired", [](const Core& c) { return c.stats().expired_sessions; }},
    Figure{"messages/received", [](const Core& c) { return c.stats().packets_received; }},
    Figure{"messages/sent", [](const Core& c) { return c.stats().packets_sent; }},
    Figure{"messages/stored", [](const Core& c) -> std::uint64_t { return c.stored().count; }},
    Figure{"store/messages/count", [](const Core& c) -> std::uint64_t { return c.stored().count; }},
    Figure{"store/messages/bytes", [](const Core& c) -> std::uint64_t { return c.stored().bytes; }},
    Figure{"subscriptions/count",
           [](const Core& c) -> std::uint64_t { return c.subscription_count(); }},
    Figure{"shared_subscriptions/count",
           [](const Core& c) -> std::uint64_t { return c.shared_subscription_count(); }},
    Figure{"retained messages/count",
           [](const Core& c) -> std::uint64_t { return c.retained_count(); }},
    Figure{"bytes/received", [](const Core& c) { return c.stats().bytes_received; }},
    Figure{"bytes/sent", [](const Core& c) { return c.stats().bytes_sent; }},
    Figure{"publish/bytes/received",
           [](const Core& c) { return c.stats().publish_bytes_received; }},
    Figure{"publish/bytes/sent", [](const Core& c) { return c.stats().publish_bytes_sent; }},
    Figure{"publish/messages/received", [](const Core& c) { return c.stats().publish_received; }},
    Figure{"publish/messages/sent", [](const Core& c) { return c.stats().publish_sent; }},
    Figure{"publish/messages/dropped", [](const Core& c) { return c.stats().dropped(); }},
    Figure{"packet/out/count", [](const Core& c) -> std::uint64_t { return c.unsent_packets(); }},
    Figure{"packet/out/bytes", [](const Core& c) -> std::uint64_t { return c.unsent_bytes(); }},
    Figure{"heap/current", [](const Core& c) -> std::uint64_t { return c.heap(); }},
    Figure{"heap/maximum", [](const Core& c) -> std::uint64_t { return c.heap_maximum(); }},
    Figure{"connections/socket/count",
           [](const Core& c) -> std::uint64_t { return c.connection_count(); }},
};

constexpr std::array kRates{
    Figure{"messages/received", [](const Core& c) { return c.stats().packets_received; }},
    Figure{"messages/sent", [](const Core& c) { return c.stats().packets_sent; }},
    Figure{"publish/dropped", [](const Core& c) { return c.stats().dropped(); }},
    Figure{"publish/received", [](const Core& c) { return c.stats().publish_received; }},
    Figure{"publish/sent", [](const Core& c) { return c.stats().publish_sent; }},
    Figure{"bytes/received", [](const Core& c) { return c.stats().bytes_received; }},
    Figure{"bytes/sent", [](const Core& c) { return c.stats().bytes_sent; }},
    Figure{"sockets", [](const Core& c) { return c.stats().connections; }},
    Figure{"connections", [](const Core& c) { return c.stats().connects; }},
};
constexpr std::array<int, 3> kMinutes{1, 5, 15};

constexpr std::array<std::string_view, kDropKinds> kDropNames{
    "queue_full", "unread",     "expired", "too_large",   "denied",
    "unreadable", "size_limit", "memory",  "left_behind", "unstorable"};
/// What of a client id is part of a topic: more than that nobody reads. A hash stands for the rest.
constexpr std::size_t kLongestName = 1000;

void put_hex(std::string& out, std::uint64_t value, unsigned digits) {
  while (digits-- > 0) out += "0123456789ABCDEF"[(value >> 4U * digits) & 15U];
}

/// A client id as a level of a topic, as in a URL: no two have the same one. Only what is printed
/// as it is stands for itself.
std::string level_of(std::string_view client_id) {
  std::string level;
  for (const char c : client_id.substr(0, kLongestName)) {
    if (c >= ' ' && c <= '~' && !std::string_view("/+#%").contains(c)) {
      level += c;
    } else {
      level += '%';
      put_hex(level, static_cast<unsigned char>(c), 2);
    }
  }
  if (client_id.size() <= kLongestName) return level;
  level += "%-";
  put_hex(level, TextHash()(client_id), 16);
  return level;
}

constexpr std::size_t kVersionRow = kFigures.size();
constexpr std::size_t kUptimeRow = kVersionRow + 1;
constexpr std::size_t kFirstLoadRow = kUptimeRow + 1;
constexpr std::size_t kRows = kFirstLoadRow + kRates.size() * kMinutes.size();

std::string topic_of_row(std::size_t row) {
  if (row < kFigures.size()) return std::string(kFigures[row].topic);
  if (row == kVersionRow) return "version";
  if (row == kUptimeRow) return "uptime";
  const auto load = row - kFirstLoadRow;
  return "load/" + std::string(kRates[load / kMinutes.size()].topic) + "/" +
         std::to_string(kMinutes[load % kMinutes.size()]) + "min";
}

}  // namespace

SysTopics::SysTopics(Seconds interval, Now now)
    : interval_(interval),
      start_(now.steady),
      next_(interval == Seconds(0) ? kNever : now.steady),
      published_(kRows),
      loads_(kRates.size()) {}

void SysTopics::publish(Core& core, Now now) {
  next_ = now.steady + interval_;
  put(core, kVersionRow, core.config().version);
  const auto uptime = std::chrono::duration_cast<Seconds>(now.steady - start_).count();
  put(core, kUptimeRow, std::to_string(uptime) + " seconds");
  for (std::size_t row = 0; row < kFigures.size(); ++row) {
    put(core, row, std::to_string(kFigures[row].value(core)));
  }
  put_loads(core);
  put_drops(core);
}

void SysTopics::put_loads(Core& core) {
  const double minutes = static_cast<double>(interval_.count()) / 60.0;
  for (std::size_t i = 0; i < kRates.size(); ++i) {
    Load& load = loads_[i];
    const auto count = kRates[i].value(core);
    const double rate = static_cast<double>(count - load.last_count) / minutes;
    load.last_count = count;
    for (std::size_t j = 0; j < kMinutes.size(); ++j) {
      const double weight = std::exp(-minutes / kMinutes[j]);
      load.averages[j] = rate + weight * (load.averages[j] - rate);
      std::array<char, 40> text{};
      std::snprintf(text.data(), text.size(), "%.2f", load.averages[j]);
      put(core, kFirstLoadRow + i * kMinutes.size() + j, text.data());
    }
  }
}

void SysTopics::put(Core& core, std::size_t row, std::string value) {
  if (published_[row] == value) return;
  published_[row] = std::move(value);
  core.put_sys(topic_of_row(row), published_[row], core.now_);
}

void SysTopics::put_drops(Core& core) {
  for (const auto index : std::exchange(core.dropping_, {})) {
    const auto& session = core.sessions_[index];
    if (session == nullptr || session->drops == nullptr) continue;
    for (std::size_t kind = 0; kind < kDropKinds; ++kind) {
      DropBook::Row& row = session->drops->rows[kind];
      if (row.published == row.count) continue;
      row.published = row.count;
      core.put_sys(drops_topic(session->client_id, static_cast<Drop>(kind)),
                   std::to_string(row.count), core.now_);
    }
  }
}

void SysTopics::use_interval(Seconds interval, Core& core) {
  if (interval == interval_) return;
  interval_ = interval;
  next_ = interval == Seconds(0) ? kNever : core.now_.steady + interval;
  if (interval > Seconds(0)) return;
  for (std::size_t row = 0; row < kRows; ++row) {
    if (std::exchange(published_[row], {}).empty()) continue;
    core.drop_retained(std::string(kOwnTopics) + topic_of_row(row));
  }
}

std::string drops_topic(std::string_view client_id, Drop reason) {
  return "clients/" + level_of(client_id) + "/dropped/" +
         std::string(kDropNames[static_cast<std::size_t>(reason)]);
}

}  // namespace mq::broker
