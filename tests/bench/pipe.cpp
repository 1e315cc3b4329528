#include "bench/pipe.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>

#include "bench/client.hpp"

namespace mq::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// So many digits begin every message, a number that a terminal can bear: 0, 1, 2 …
constexpr std::size_t kDigits = 10;

class Pipe : private Hearer {
 public:
  Pipe(const Plan& plan, std::uint16_t port) : plan_(plan), client_(loop_, port, *this) {
    put_publish(model_, plan.topic, plan.qos << 1U, plan.payload);
    client_.send(connect_frame(plan.scenario, true));
  }

  Result run() {
    turn_until([&] { return done_ >= plan_.count && client_.out().empty(); }, plan_.patience);
    constexpr double kQuiet = 0.05;  // seconds: what comes now comes too often
    turn_until([] { return false; }, kQuiet);
    client_.send(disconnect_frame());
    loop_.turn(std::chrono::milliseconds(1));
    Result result{.faults = faults_, .figures = {{"arrived", done_}}};
    if (plan_.scenario == "sink") {
      tally_.settle({plan_.count}, 0, result.faults);
    } else {
      result.faults.lost = plan_.count - std::min(done_, plan_.count);
    }
    return result;
  }

 private:
  void turn_until(const auto& is_done, double patience) {
    auto before = done_;
    for (auto last = Clock::now(); !is_done() && !is_closed_;) {
      loop_.turn(std::chrono::milliseconds(20));
      if (done_ != before) last = Clock::now();
      before = done_;
      if (Clock::now() - last > std::chrono::duration<double>(patience)) return;
    }
  }

  void on_frame(Client&, const Frame& frame) override {
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
        return answer(kPubrel, frame.packet_id());
      case kPubrel:
        return answer(kPubcomp, frame.packet_id());
      default:
        ++done_;
        return fill();
    }
  }

  void on_closed(Client&) override { is_closed_ = true; }

  void on_publish(const Frame& frame) {
    const std::size_t topic = 2 + two_bytes(frame.body.data());
    const auto number = number_of(frame.body.subspan(topic + (frame.qos() > 0 ? 2 : 0)));
    if (!number || frame.qos() != plan_.qos) {
      ++faults_.wrong;
    } else if (tally_.take(0, *number)) {
      ++done_;
    }
    if (frame.qos() > 0) {
      answer(frame.qos() == 1 ? kPuback : kPubrec, two_bytes(frame.body.data() + topic));
    }
  }

  std::optional<std::uint32_t> number_of(ByteView payload) const {
    const std::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
    const auto* const end = text.data() + std::min(kDigits, text.size());
    std::uint32_t number = 0;
    const auto [stop, code] = std::from_chars(text.data(), end, number);
    if (text.size() != plan_.payload || code != std::errc{} || stop != end) return std::nullopt;
    return number < plan_.count ? std::optional(number) : std::nullopt;
  }

  void answer(Type type, unsigned packet_id) {
    put_acknowledgement(client_.out(), type, packet_id);
    client_.touch();
  }

  void fill() {
    constexpr std::uint32_t kWindow = 200;
    while (sent_ < plan_.count && (plan_.qos == 0 || sent_ - done_ < kWindow)) {
      client_.send(model_);
      Bytes& out = client_.out();
      const unsigned packet_id = plan_.qos == 0 ? 0 : sent_ % 65'535 + 1;
      stamp_publish(out.data() + out.size(), plan_.payload, packet_id, text_stamp(sent_));
      ++sent_;
      if (plan_.qos == 0) ++done_;
    }
  }

  /// Digits and blanks where others have four numbers.
  static Stamp text_stamp(std::uint32_t number) {
    std::array<char, sizeof(Stamp)> text{};
    text.fill(' ');
    for (std::size_t at = kDigits; at-- > 0; number /= 10) {
      text[at] = static_cast<char>('0' + number % 10);
    }
    return std::bit_cast<Stamp>(text);
  }

  const Plan& plan_;
  Loop loop_;
  Client client_;
  Bytes model_;
  Tally tally_{1};
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
