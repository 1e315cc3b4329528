#include "bench/pipe.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "bench/client.hpp"

namespace mq::bench {
namespace {

/// A stamp that a terminal can bear.
constexpr Stamp kBlank{0x20202020, 0x20202020, 0x20202020, 0x20202020};

class Pipe : private Hearer {
 public:
  Pipe(const Plan& plan, std::uint16_t port) : plan_(plan), client_(loop_, port, *this) {
    put_publish(model_, plan.topic, plan.qos << 1U, plan.payload);
    client_.send(connect_frame(plan.scenario, true));
  }

  Result run() {
    using Clock = std::chrono::steady_clock;
    const auto patience = std::chrono::duration<double>(plan_.patience);
    std::uint32_t before = 0;
    for (auto last = Clock::now();
         (done_ < plan_.count || !client_.out().empty()) && !is_closed_;) {
      loop_.turn(std::chrono::milliseconds(20));
      if (done_ != before) last = Clock::now();
      before = done_;
      if (Clock::now() - last > patience) break;
    }
    client_.send(disconnect_frame());
    loop_.turn(std::chrono::milliseconds(1));
    Result result{.faults = faults_, .figures = {{"arrived", done_}}};
    result.faults.lost = plan_.count - std::min(done_, plan_.count);
    return result;
  }

 private:
  void on_frame(Client&, const Frame& frame) override {
    const unsigned packet_id = frame.body.size() < 2 ? 0 : two_bytes(frame.body.data());
    switch (frame.type()) {
      case kConnack:
        if (plan_.scenario == "source") return fill();
        return client_.send(subscribe_frame(std::vector{plan_.topic}, plan_.qos));
      case kSuback:
        std::puts("ready");
        std::fflush(stdout);
        return;
      case kPublish:
        return on_publish(frame);
      case kPubrec:
        return answer(kPubrel, packet_id);
      case kPubrel:
        return answer(kPubcomp, packet_id);
      default:
        ++done_;
        return fill();
    }
  }

  void on_closed(Client&) override { is_closed_ = true; }

  void on_publish(const Frame& frame) {
    ++done_;
    const std::size_t topic = 2 + two_bytes(frame.body.data());
    if (frame.qos() > 0) {
      answer(frame.qos() == 1 ? kPuback : kPubrec, two_bytes(frame.body.data() + topic));
    }
  }

  void answer(Type type, unsigned packet_id) {
    put_acknowledgement(client_.out(), type, packet_id);
    client_.touch();
  }

  void fill() {
    constexpr std::uint32_t kWindow = 200;
    while (sent_ < plan_.count && (plan_.qos == 0 || sent_ - done_ < kWindow)) {
      client_.send(model_);
      const unsigned packet_id = plan_.qos == 0 ? 0 : sent_ % 65'535 + 1;
      Bytes& out = client_.out();
      stamp_publish(out.data() + out.size(), plan_.payload, packet_id, kBlank);
      ++sent_;
      if (plan_.qos == 0) ++done_;
    }
  }

  const Plan& plan_;
  Loop loop_;
  Client client_;
  Bytes model_;
  std::uint32_t sent_ = 0;
  std::uint32_t done_ = 0;
  bool is_closed_ = false;
  Faults faults_;
};

}  // namespace

Result pipe(const Plan& plan, std::uint16_t port) {
  return Pipe(plan, port).run();
}

}  // namespace mq::bench
