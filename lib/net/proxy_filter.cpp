#include "net/proxy_filter.hpp"

#include <algorithm>
#include <utility>

#include "net/proxy_header.hpp"

namespace mq::net {

namespace {

class ProxyFilter final : public Filter {
 public:
  explicit ProxyFilter(ProxyOptions options) : options_(options) {}

  void on_received(ByteView bytes) override {
    in_.insert(in_.end(), bytes.begin(), bytes.end());
    if (state_ == State::opening) take_header();
  }
  std::size_t read(std::span<Byte> room) override {
    if (state_ != State::open) return 0;
    const std::size_t size = std::min(room.size(), in_.size() - read_);
    std::copy_n(in_.begin() + static_cast<std::ptrdiff_t>(read_), size, room.begin());
    read_ += size;
    if (read_ == in_.size()) {
      in_ = {};  // a silent connection keeps no buffer
      read_ = 0;
    }
    return size;
  }
  void write(ByteView bytes) override { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void close() override {}
  void take_output(std::vector<Byte>& out) override {
    if (out.empty()) {
      std::swap(out, out_);
    } else {
      out.insert(out.end(), out_.begin(), out_.end());
    }
    out_ = {};
  }
  bool has_output() const override { return !out_.empty(); }
  State state() const override { return state_; }
  const std::string& trouble() const override { return trouble_; }
  std::optional<std::string> user_name() const override {
    return options_.names_user ? std::optional(header_.common_name) : std::nullopt;
  }
  std::optional<Place> place() const override { return header_.place; }

 private:
  void take_header() {
    auto parsed = options_.version == 1 ? parse_proxy_v1(in_) : parse_proxy_v2(in_);
    if (!parsed) return fail(std::move(parsed.error()));
    if (!*parsed) return;
    header_ = **std::move(parsed);
    read_ = header_.size;
    if (options_.requires_tls && !header_.is_tls) {
      fail("it came to the proxy without TLS (see proxy_protocol_v2_require_tls)");
    } else if (options_.requires_certificate && !header_.is_verified) {
      fail("it has shown the proxy no certificate that is good (see require_certificate)");
    } else if (options_.names_user && header_.common_name.empty()) {
      fail("the proxy tells no common name of its certificate, which would name its user");
    } else {
      state_ = State::open;
    }
  }
  void fail(std::string words) {
    state_ = State::failed;
    trouble_ = std::move(words);
  }

  ProxyOptions options_;
  ProxyHeader header_;
  std::vector<Byte> in_;
  std::size_t read_ = 0;
  std::vector<Byte> out_;
  State state_ = State::opening;
  std::string trouble_;
};

}  // namespace

MakeFilter proxy_header(ProxyOptions options) {
  return [options] { return std::make_unique<ProxyFilter>(options); };
}

}  // namespace mq::net
