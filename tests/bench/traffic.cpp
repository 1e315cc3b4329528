#include "bench/traffic.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace mq::bench {
namespace {

/// Enough for every broker to be busy, far from the limit of any.
constexpr std::size_t kOnTheWay = 512U << 10U;
constexpr std::size_t kOnTheWayToAll = 32U << 20U;
constexpr std::uint32_t kPacketIds = 65'535;
/// So many connections are opened at once, less than what may wait to be accepted.
constexpr std::size_t kAtOnce = 64;

std::uint32_t window_of(const Plan& plan) {
  if (plan.window > 0) return plan.window;
  const auto fan = plan.scenario == "fanout" ? std::max(plan.subs, 1U) : 1U;
  const auto bytes = std::min(kOnTheWay, kOnTheWayToAll / fan) / std::max(plan.pubs, 1U);
  return static_cast<std::uint32_t>(std::clamp<std::size_t>(bytes / (plan.payload + 12), 4, 65536));
}

}  // namespace

Traffic::Traffic(const Plan& plan, std::uint16_t port)
    : plan_(plan),
      port_(port),
      window_(window_of(plan)),
      inflight_(plan.inflight > 0 ? plan.inflight : std::min(window_, 1000U)),
      is_retained_(plan.scenario == "retained") {
  // At QoS 0 a busy publisher writes much at once; acknowledgements come one by one.
  if (plan.qos == 0) smallest_batch_ = std::max(1U, window_ / 4);
  if (plan.batch > 0) smallest_batch_ = plan.batch;
}

std::uint32_t Traffic::add_streams(std::uint32_t count) {
  published_.resize(published_.size() + count);
  return static_cast<std::uint32_t>(published_.size()) - count;
}

std::unique_ptr<Client> Traffic::connect(Role role, std::uint32_t index, Kept session) {
  constexpr std::array kNames{"pub", "sub", "idle"};
  auto client = std::make_unique<Client>(loop_, port_, static_cast<Hearer&>(*this));
  client->index = index;
  client->role = role;
  client->send(connect_frame(kNames[role] + std::to_string(index), session == Kept::no));
  ++awaited_;
  if (awaited_ >= kAtOnce) await(0);
  return client;
}

void Traffic::await(std::size_t answers) {
  run([&] { return awaited_ <= answers; });
  faults_.wrong += std::exchange(awaited_, 0);
}

void Traffic::add_subscriber(std::vector<std::string> filters, std::uint32_t first,
                             std::uint32_t streams, Kept session) {
  const auto index = static_cast<std::uint32_t>(subscribers_.size());
  subscribers_.push_back({.client = nullptr,
                          .filters = std::move(filters),
                          .first = first,
                          .tally = Tally(streams),
                          .session = session});
  Subscriber& subscriber = subscribers_.back();
  if (plan_.qos == 2) subscriber.unreleased.resize(kPacketIds + 1);
  subscriber.client = connect(kSubscriber, index, session);
  subscribe(subscriber);
}

void Traffic::subscribe(Subscriber& subscriber) {
  constexpr std::size_t kFiltersAPacket = 200;
  const std::span<const std::string> all = subscriber.filters;
  for (std::size_t at = 0; at < all.size(); at += kFiltersAPacket) {
    const auto some = all.subspan(at, std::min(kFiltersAPacket, all.size() - at));
    subscriber.client->send(subscribe_frame(some, plan_.qos));
    ++awaited_;
  }
  if (all.size() > kFiltersAPacket) await(0);
}

void Traffic::add_publisher(const Route& route) {
  Publisher publisher{.client = nullptr, .route = nullptr, .fixed = route, .model = {}};
  put_publish(publisher.model, route.topic, plan_.qos << 1U | (is_retained_ ? 1U : 0U),
              plan_.payload);
  add_publisher(std::move(publisher));
}

void Traffic::add_publisher(std::function<Route(std::uint32_t)> route) {
  add_publisher(Publisher{.client = nullptr, .route = std::move(route), .fixed = {}, .model = {}});
}

void Traffic::add_publisher(Publisher publisher) {
  const auto index = static_cast<std::uint32_t>(publishers_.size());
  publisher.owed.resize(std::bit_ceil(std::max(window_, 1U)));
  if (plan_.qos > 0) publisher.steps.resize(kPacketIds + 1);
  publisher.client = connect(kPublisher, index, Kept::no);
  publishers_.push_back(std::move(publisher));
}

void Traffic::add_idle(std::uint32_t count) {
  while (count-- > 0) {
    idle_.push_back(connect(kIdle, static_cast<std::uint32_t>(idle_.size()), Kept::no));
  }
  settle();
}

void Traffic::leave() {
  await(0);
  is_leaving_ = true;
  for (Subscriber& subscriber : subscribers_) subscriber.client->send(disconnect_frame());
  awaited_ = subscribers_.size();  // the broker has to close
  await(0);
  is_leaving_ = false;
  for (Subscriber& subscriber : subscribers_) subscriber.client.reset();
}

void Traffic::come_back() {
  for (std::uint32_t i = 0; i < subscribers_.size(); ++i) {
    Subscriber& subscriber = subscribers_[i];
    if (subscriber.client == nullptr) {
      subscriber.is_back = subscriber.session == Kept::yes;
      subscriber.client = connect(kSubscriber, i, subscriber.session);
    }
  }
}

void Traffic::start(std::uint32_t count) {
  await(0);
  started_ = Clock::now();
  const auto pubs = static_cast<std::uint32_t>(publishers_.size());
  for (Publisher& publisher : publishers_) {
    publisher.limit = count == 0 ? UINT32_MAX : std::max(count / pubs, 1U);
    want(publisher);
  }
}

void Traffic::stop() {
  for (Publisher& publisher : publishers_) publisher.limit = publisher.sent;
}

void Traffic::run(const std::function<bool()>& is_done, double seconds) {
  const auto sum = [this] { return delivered_ + acknowledged_ + sent_ + heard_; };
  const auto patience = std::chrono::duration<double>(plan_.patience);
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  auto progress = sum() + awaited_;
  auto last = Clock::now();
  while (!is_done()) {
    if (plan_.rate > 0) {
      for (Publisher& publisher : publishers_) want(publisher);
    }
    for (const auto index : std::exchange(ready_, {})) {
      publishers_[index].is_ready = false;
      fill(publishers_[index]);
    }
    loop_.turn(plan_.rate > 0 ? std::chrono::microseconds(50) : std::chrono::milliseconds(20));
    const auto now = Clock::now();
    if (now >= end || now - last > patience) return;
    if (std::exchange(progress, sum() + awaited_) != progress) last = now;
  }
}

void Traffic::listen_on() {
  run([this] {
    return std::ranges::all_of(subscribers_,
                               [](const Subscriber& one) { return one.unreleased_count == 0; });
  });
  constexpr double kQuiet = 0.05;  // seconds without a frame
  const auto end = Clock::now() + std::chrono::duration<double>(plan_.patience);
  for (std::uint64_t before = heard_ - 1; before != heard_ && Clock::now() < end;) {
    before = heard_;
    run([] { return false; }, kQuiet);
  }
}

bool Traffic::is_acknowledged() const {
  return std::ranges::all_of(publishers_, [this](const Publisher& publisher) {
    return publisher.sent == publisher.limit &&
           (plan_.qos == 0 || publisher.acknowledged == publisher.sent);
  });
}

bool Traffic::is_delivered() const {
  return is_acknowledged() && std::ranges::all_of(publishers_, [](const Publisher& publisher) {
           return publisher.base == publisher.sent;
         });
}

Faults Traffic::faults() const {
  Faults faults = faults_;
  for (const Subscriber& subscriber : subscribers_) {
    subscriber.tally.settle(published_, subscriber.first, faults);
    faults.wrong += subscriber.unreleased_count;
  }
  return faults;
}

}  // namespace mq::bench
