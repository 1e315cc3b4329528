#pragma once

#include <string>
#include <vector>

#include "base/filter.hpp"
#include "client/endpoint.hpp"

namespace mq::net {

/// The way through a SOCKS5 proxy, which looks the name up itself: a short talk, and then bytes
/// pass as they are.
///
/// Spec  RFC 1928, RFC 1929
class Socks5 final : public Filter {
 public:
  Socks5(client::Proxy proxy, client::Endpoint endpoint);

  void on_received(ByteView bytes) override;
  std::size_t read(std::span<Byte> room) override;
  void write(ByteView bytes) override;
  void close() override {}
  void take_output(std::vector<Byte>& out) override;
  bool has_output() const override { return !out_.empty(); }
  State state() const override { return state_; }
  const std::string& trouble() const override { return trouble_; }

 private:
  enum class Step : std::uint8_t { greeting, authentication, request, done };

  /// Returns false when more is to come first.
  bool take_step();
  bool take_method();
  bool take_verdict();
  bool take_reply();
  void request();
  void put(std::string_view text);
  void fail(std::string words);

  client::Proxy proxy_;
  client::Endpoint endpoint_;
  Step step_ = Step::greeting;
  std::vector<Byte> in_;
  std::vector<Byte> out_;
  State state_ = State::opening;
  std::string trouble_;
};

}  // namespace mq::net
