#pragma once

#include <cstdint>
#include <thread>

namespace mq::bench {

/// What a FaultyBroker does wrong with one message.
enum class Wrong : std::uint8_t {
  nothing,
  lose,
  repeat,
  swap,
  alter,
  rename,           ///< another topic
  echo,             ///< messages go back to who has sent them, and to nobody else
  repeat_all,       ///< with the last of a hundred messages all come once more
  short_handshake,  ///< at QoS 2 a PUBACK, and no PUBREL
  refuse,           ///< connections are closed instead of a CONNACK
  deny,             ///< the SUBACK says that there is no subscription
  remember,         ///< sessions are there that nobody has left
};

/// A broker of a few lines, on a thread of its own, that passes every PUBLISH on to everybody who
/// has subscribed to anything, with its packet id, but for one fault.
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
