#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace mq {

/// Where somebody is on the network.
struct Place {
  std::string address;  ///< "127.0.0.1", "::1"
  std::uint16_t port = 0;
  bool operator==(const Place&) const = default;
};

/// Stands between the network and what is said over it, and turns bytes into bytes. It owns no
/// socket: whoever does feeds it with what has come and sends what it puts out.
class Filter {
 public:
  enum class State : std::uint8_t {
    opening,  ///< there is a handshake first
    open,
    closed,  ///< the peer has said goodbye
    failed,  ///< see trouble(); what is left to send is for the peer to know why
  };

  virtual ~Filter() = default;

  /// Bytes from the network, copied.
  virtual void on_received(ByteView bytes) = 0;
  /// Takes what they mean, as much as there is room for. Returns 0 when that was all.
  virtual std::size_t read(std::span<Byte> room) = 0;
  /// Sends bytes; only when open.
  virtual void write(ByteView bytes) = 0;
  /// Says goodbye: nothing is sent after that.
  virtual void close() = 0;
  /// Appends what is to be sent over the network.
  virtual void take_output(std::vector<Byte>& out) = 0;
  /// Whether there is something to be sent, be it only what the filter says by itself.
  virtual bool has_output() const = 0;

  virtual State state() const = 0;
  /// What went wrong, in one line.
  virtual const std::string& trouble() const = 0;
  /// Who the peer has proved to be, where that decides its user name.
  virtual std::optional<std::string> user_name() const { return std::nullopt; }
  /// Where the peer is, when that is known better than by its socket.
  virtual std::optional<Place> place() const { return std::nullopt; }
};

/// Makes the filter of a new connection.
using MakeFilter = std::function<std::unique_ptr<Filter>()>;

}  // namespace mq
