#pragma once

#include <cstdint>
#include <thread>

namespace mq::bench {

/// What a FaultyBroker does wrong with one message.
enum class Wrong : std::uint8_t { nothing, lose, repeat, swap, alter };

/// A broker of a few lines, on a thread of its own, that passes every PUBLISH on to everybody who
/// has subscribed to anything, but for one fault.
class FaultyBroker {
 public:
  explicit FaultyBroker(Wrong wrong);
  ~FaultyBroker();
  FaultyBroker(const FaultyBroker&) = delete;
  FaultyBroker& operator=(const FaultyBroker&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  void run(Wrong wrong) const;

  int listener_ = -1;
  int stop_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace mq::bench
