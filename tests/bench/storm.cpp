#include <algorithm>
#include <memory>
#include <vector>

#include "bench/client.hpp"
#include "bench/load.hpp"
#include "bench/process.hpp"

namespace mq::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// Connections that come and go, as many at a time as were started.
class Storm : private Hearer {
 public:
  explicit Storm(std::uint16_t port) : port_(port) {}

  void start() {
    clients_.push_back(nullptr);
    connect(static_cast<std::uint32_t>(clients_.size()) - 1);
  }
  void turn() { loop_.turn(std::chrono::milliseconds(20)); }
  void stop() { is_stopping_ = true; }
  bool is_over() const { return open_ == 0; }
  std::uint32_t accepted() const { return accepted_; }
  const Faults& faults() const { return faults_; }

 private:
  static constexpr std::uint8_t kIsAccepted = 1;

  void connect(std::uint32_t index) {
    clients_[index] = std::make_unique<Client>(loop_, port_, static_cast<Hearer&>(*this));
    clients_[index]->index = index;
    clients_[index]->send(connect_frame("storm" + std::to_string(index), true));
    ++open_;
  }

  void on_frame(Client& client, const Frame& frame) override {
    if (client.role == kIsAccepted || !is_connack(frame, false)) ++faults_.wrong;
    client.role = kIsAccepted;
    client.send(disconnect_frame());
    ++accepted_;
  }

  void on_closed(Client& client) override {
    if (client.role != kIsAccepted) ++faults_.closed;
    --open_;
    loop_.retire(std::move(clients_[client.index]));
    if (!is_stopping_) connect(client.index);
  }

  std::uint16_t port_;
  Loop loop_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint32_t open_ = 0;
  std::uint32_t accepted_ = 0;
  bool is_stopping_ = false;
  Faults faults_;
};

}  // namespace

Result storm(const Plan& plan, std::uint16_t port, const Process& process) {
  Storm storm(port);
  const double cpu = process.cpu_us();
  const auto start = Clock::now();
  const auto lasted = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  for (std::uint32_t i = 0; i < plan.subs; ++i) storm.start();
  const auto is_due = [&] {
    return plan.count > 0 ? storm.accepted() >= plan.count : lasted() >= plan.seconds;
  };
  while (!is_due() && lasted() < plan.seconds + plan.patience) storm.turn();
  Result result;
  const double count = std::max(storm.accepted(), 1U);
  result.figures = {{"cpu_us", (process.cpu_us() - cpu) / count}, {"per_s", count / lasted()}};
  storm.stop();
  const auto end = lasted() + plan.patience;
  while (!storm.is_over() && lasted() < end) storm.turn();
  result.faults = storm.faults();
  if (!storm.is_over()) ++result.faults.lost;
  return result;
}

}  // namespace mq::bench
