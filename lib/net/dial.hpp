#pragma once

#include <expected>
#include <functional>

#include "base/error.hpp"
#include "client/endpoint.hpp"
#include "net/link.hpp"
#include "net/loop.hpp"

namespace mq::net {

/// An attempt to reach a server. The name is resolved off the loop; all its addresses are tried,
/// each a quarter of a second after the last one or as soon as that one has failed, and the first
/// that answers wins. Where SRV records name several servers, each is tried like that in turn.
class Dial {
 public:
  /// Fails with one line that names the host, the port, every address tried and the reason.
  using Done = std::function<void(std::expected<LinkPtr, Error>)>;

  /// done  called from the loop, once, unless the Dial is destroyed before
  Dial(Loop& loop, const client::Endpoint& endpoint, Done done);
  ~Dial();
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

 private:
  struct Race;
  Race* race_;
};

}  // namespace mq::net
