#include "bench/load.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

#include "bench/process.hpp"
#include "bench/traffic.hpp"

// Every scenario lays out publishers and subscribers, lets messages flow, and divides what the
// broker's process has used meanwhile by the messages that went through it.

namespace mq::bench {
namespace {

constexpr double kWarmUp = 0.3;  ///< seconds

using Figures = std::vector<std::pair<std::string, double>>;
using Count = std::uint64_t (Traffic::*)() const;

/// CPU and wall time between two moments, per message.
class Meter {
 public:
  Meter(const Process& process, const Traffic& traffic, Count count)
      : process_(process), traffic_(traffic), count_(count) {
    restart();
  }

  void restart() {
    cpu_ = process_.cpu_us();
    before_ = (traffic_.*count_)();
    at_ = Clock::now();
  }

  void read(Figures& figures, const std::string& prefix = "") const {
    const double messages =
        static_cast<double>(std::max<std::uint64_t>((traffic_.*count_)() - before_, 1));
    const std::chrono::duration<double> wall = Clock::now() - at_;
    figures.emplace_back(prefix + "cpu_us", (process_.cpu_us() - cpu_) / messages);
    figures.emplace_back(prefix + "per_s", messages / wall.count());
  }

 private:
  const Process& process_;
  const Traffic& traffic_;
  Count count_;
  double cpu_ = 0;
  std::uint64_t before_ = 0;
  Clock::time_point at_{};
};

std::string topic_of(std::uint32_t number) {
  return "load/" + std::to_string(number);
}

void add_latencies(std::vector<double> all, Figures& figures) {
  if (all.empty()) return;
  std::ranges::sort(all);
  for (const auto& [name, share] : {std::pair{"p50_us", 0.5}, {"p99_us", 0.99}}) {
    const auto at = static_cast<std::size_t>(share * static_cast<double>(all.size() - 1));
    figures.emplace_back(name, all[at]);
  }
}

/// Lets it flow for the plan's seconds, or the plan's count; and waits until `is_done`.
void flow(Traffic& traffic, const Plan& plan, const Process& process, Count count,
          bool (Traffic::*is_done)() const, Figures& figures) {
  const auto done = [&] { return (traffic.*is_done)(); };
  Meter meter(process, traffic, count);
  traffic.start(plan.count);
  if (plan.count > 0) {
    traffic.run(done);
    meter.read(figures);
  } else {
    traffic.run([] { return false; }, kWarmUp);
    traffic.take_latencies_us();
    meter.restart();
    traffic.run([] { return false; }, plan.seconds);
    meter.read(figures);
    traffic.stop();
    traffic.run(done);
  }
  add_latencies(traffic.take_latencies_us(), figures);
}

Result deliver(const Plan& plan, std::uint16_t port, const Process& process) {
  Traffic traffic(plan, port);
  if (plan.step > 0) traffic.go_in_step_with(process);
  traffic.add_idle(plan.idle);
  const bool is_fanout = plan.scenario == "fanout";
  const auto pubs = is_fanout ? 1 : plan.pubs;
  traffic.add_streams(pubs);
  if (is_fanout) {
    for (std::uint32_t i = 0; i < plan.subs; ++i) traffic.add_subscriber({topic_of(0)}, 0, 1);
  } else if (plan.scenario == "fanin") {
    traffic.add_subscriber({"load/#"}, 0, pubs);
  } else {
    for (std::uint32_t i = 0; i < pubs; ++i) traffic.add_subscriber({topic_of(i)}, i, 1);
  }
  const auto receivers = is_fanout ? plan.subs : 1;
  for (std::uint32_t i = 0; i < pubs; ++i) traffic.add_publisher({topic_of(i), i, receivers});
  Result result;
  flow(traffic, plan, process, &Traffic::delivered, &Traffic::is_delivered, result.figures);
  traffic.listen_on();
  result.faults = traffic.faults();
  return result;
}

/// Publishers wait for acknowledgements; what counts is how many they get.
Result acknowledge(const Plan& plan, std::uint16_t port, const Process& process) {
  Traffic traffic(plan, port);
  traffic.add_streams(plan.pubs);
  const bool is_awake = plan.sink == "online" || plan.sink == "durable";
  if (plan.sink != "none") {
    traffic.add_subscriber({"load/#"}, 0, plan.pubs,
                           plan.sink == "online" ? Traffic::Kept::no : Traffic::Kept::yes);
    if (!is_awake) traffic.leave();
  }
  const std::uint32_t receivers = is_awake ? 1 : 0;
  for (std::uint32_t i = 0; i < plan.pubs; ++i) traffic.add_publisher({topic_of(i), i, receivers});
  Result result;
  flow(traffic, plan, process, &Traffic::acknowledged,
       is_awake ? &Traffic::is_delivered : &Traffic::is_acknowledged, result.figures);
  if (plan.sink == "asleep") {
    traffic.come_back();
    traffic.run([&] { return traffic.delivered() >= traffic.sent(); });
  }
  traffic.listen_on();
  result.faults = traffic.faults();
  return result;
}

/// Messages for a session that sleeps, which then wakes up.
Result queue(const Plan& plan, std::uint16_t port, const Process& process) {
  Traffic traffic(plan, port);
  const std::uint32_t count = std::max(plan.count, 1U);
  traffic.add_streams(plan.pubs);
  traffic.add_subscriber({"load/#"}, 0, plan.pubs, Traffic::Kept::yes);
  traffic.leave();
  for (std::uint32_t i = 0; i < plan.pubs; ++i) traffic.add_publisher({topic_of(i), i, 0});
  Result result;
  const double before = process.resident_bytes();
  Meter store(process, traffic, &Traffic::acknowledged);
  traffic.start(count);
  traffic.run([&] { return traffic.is_acknowledged(); });
  store.read(result.figures, "store ");
  result.figures.emplace_back("bytes queued", (process.resident_bytes() - before) / count);
  Meter drain(process, traffic, &Traffic::delivered);
  traffic.come_back();
  traffic.run([&] { return traffic.delivered() >= traffic.sent(); });
  drain.read(result.figures, "drain ");
  traffic.listen_on();
  result.faults = traffic.faults();
  return result;
}

/// Retained messages on as many topics, then somebody who wants them all.
Result retain(const Plan& plan, std::uint16_t port, const Process& process) {
  Traffic traffic(plan, port);
  const std::uint32_t count = std::max(plan.count, 1U);
  traffic.add_streams(count);
  traffic.add_publisher([](std::uint32_t position) { return Route{topic_of(position), position}; });
  Result result;
  const double before = process.resident_bytes();
  Meter store(process, traffic, &Traffic::acknowledged);
  traffic.start(count);
  traffic.run([&] { return traffic.is_acknowledged(); });
  store.read(result.figures, "store ");
  result.figures.emplace_back("bytes retained", (process.resident_bytes() - before) / count);
  Meter send(process, traffic, &Traffic::delivered);
  traffic.add_subscriber({"load/#"}, 0, count);
  traffic.run([&] { return traffic.delivered() >= count; });
  send.read(result.figures, "send ");
  traffic.listen_on();
  result.faults = traffic.faults();
  return result;
}

/// One filter in four kinds, and the topic that matches it alone.
std::string filter_of(std::uint32_t number) {
  const std::string name = std::to_string(number);
  switch (number % 10) {
    case 0:
      return "+/" + name + "/#";
    case 1:
    case 2:
      return "load/" + name + "/#";
    case 3:
    case 4:
    case 5:
      return "load/" + name + "/+";
    default:
      return "load/" + name + "/value";
  }
}

/// Many filters, and messages of which one in eight matches one of them.
Result match(const Plan& plan, std::uint16_t port, const Process& process) {
  constexpr std::uint32_t kSubscribers = 10;
  constexpr std::uint32_t kStride = 2'654'435'761U;
  Traffic traffic(plan, port);
  const std::uint32_t subs = std::min(kSubscribers, plan.filters);
  traffic.add_streams(subs + 1);  // the last one is heard by nobody
  std::vector<std::vector<std::string>> filters(subs);
  for (std::uint32_t i = 0; i < plan.filters; ++i) filters[i % subs].push_back(filter_of(i));
  Result result;
  const double cpu = process.cpu_us();
  const double before = process.resident_bytes();
  for (std::uint32_t i = 0; i < subs; ++i) traffic.add_subscriber(std::move(filters[i]), i, 1);
  traffic.settle();
  result.figures.emplace_back("subscribe cpu_us", (process.cpu_us() - cpu) / plan.filters);
  result.figures.emplace_back("bytes a subscription",
                              (process.resident_bytes() - before) / plan.filters);
  traffic.add_publisher([&, filters = plan.filters](std::uint32_t position) -> Route {
    const std::uint32_t number =
        static_cast<std::uint32_t>(std::uint64_t{position * kStride} * filters >> 32U);
    if (position % 8 == 0) return {"load/" + std::to_string(number) + "/value", number % subs, 1};
    return {"none/x" + std::to_string(number) + "/value", subs, 0};
  });
  flow(traffic, plan, process, &Traffic::sent, &Traffic::is_delivered, result.figures);
  traffic.listen_on();
  result.faults = traffic.faults();
  return result;
}

/// Connections that do nothing.
Result rest(const Plan& plan, std::uint16_t port, const Process& process) {
  Traffic traffic(plan, port);
  Result result;
  const double cpu = process.cpu_us();
  const double before = process.resident_bytes();
  traffic.add_idle(plan.idle);
  result.figures.emplace_back("connect cpu_us", (process.cpu_us() - cpu) / plan.idle);
  result.figures.emplace_back("bytes a connection",
                              (process.resident_bytes() - before) / plan.idle);
  const double rested = process.cpu_us();
  traffic.run([] { return false; }, plan.seconds);
  result.figures.emplace_back("cpu %", (process.cpu_us() - rested) / plan.seconds / 1e4);
  traffic.listen_on();
  result.faults = traffic.faults();
  return result;
}

}  // namespace

Result storm(const Plan& plan, std::uint16_t port, const Process& process);

namespace {

struct Scenario {
  std::string_view name;
  std::string_view words;
  Result (*run)(const Plan&, std::uint16_t, const Process&);
};

constexpr std::array kScenarios{
    Scenario{"fanin", "pubs publishers, each with a topic of its own, one subscriber", deliver},
    Scenario{"fanout", "one publisher, subs subscribers", deliver},
    Scenario{"pairs", "pubs publishers, each with a topic and a subscriber of its own", deliver},
    Scenario{"ack", "pubs publishers wait for acknowledgements of what a sink hears", acknowledge},
    Scenario{"queue", "count messages for a session that sleeps, then wakes up", queue},
    Scenario{"retained", "count retained messages, then somebody who wants them", retain},
    Scenario{"match", "filters of four kinds; one message in eight matches one", match},
    Scenario{"idle", "idle connections", rest},
    Scenario{"storm", "connect, be accepted, disconnect; subs at a time", storm},
};

}  // namespace

Result load(const Plan& plan, std::uint16_t port, pid_t broker) {
  const auto it = std::ranges::find(kScenarios, plan.scenario, &Scenario::name);
  if (it == kScenarios.end()) throw std::invalid_argument("no scenario " + plan.scenario);
  if (plan.step > 0 && broker == 0) throw std::invalid_argument("step needs the broker's pid");
  return it->run(plan, port, Process(broker));
}

std::vector<std::pair<std::string, std::string>> scenarios() {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& scenario : kScenarios) all.emplace_back(scenario.name, scenario.words);
  return all;
}

}  // namespace mq::bench
