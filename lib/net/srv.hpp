#pragma once

#include <uv.h>

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/prng.hpp"
#include "net/loop.hpp"

namespace mq::net {

/// A server that a domain names for a service.
struct SrvTarget {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const SrvTarget&) const = default;
};

/// The order in which targets are to be tried: by priority, and among equals by chance, where more
/// weight is more chance.
///
/// Spec  RFC 2782, "Usage rules"
void sort_targets(std::vector<SrvTarget>& targets, Prng& prng);

/// A look-up of SRV records, off the loop's way: it waits for its sockets like everybody else.
class SrvLookup {
 public:
  /// The targets in the order in which to try them, at least one.
  using Done = std::function<void(std::expected<std::vector<SrvTarget>, Error>)>;

  /// name     "_mqtt._tcp.example.org"
  /// servers  "ADDRESS[:PORT],…" to ask instead of the system's; empty: the system's
  /// done     called from the loop, once, unless the look-up is destroyed before
  SrvLookup(Loop& loop, std::string name, const std::string& servers, Done done);
  ~SrvLookup();
  SrvLookup(const SrvLookup&) = delete;
  SrvLookup& operator=(const SrvLookup&) = delete;

 private:
  struct Query;
  Query* query_;
};

}  // namespace mq::net
