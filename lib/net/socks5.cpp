#include "net/socks5.hpp"

#include <uv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace mq::net {

namespace {

constexpr Byte kVersion = 5;
constexpr Byte kNoAuthentication = 0;
constexpr Byte kPassword = 2;
constexpr Byte kConnect = 1;
constexpr Byte kIpv4 = 1;
constexpr Byte kName = 3;
constexpr Byte kIpv6 = 4;
constexpr std::size_t kReplyHead = 4;

std::string words_of(Byte reply) {
  constexpr std::array kWords{"",
                              "general failure",
                              "not allowed by its rules",
                              "network unreachable",
                              "host unreachable",
                              "connection to the server refused",
                              "no route in time",
                              "command not supported",
                              "address type not supported"};
  return reply < kWords.size() ? kWords[reply] : "error " + std::to_string(reply);
}

}  // namespace

Socks5::Socks5(client::Proxy proxy, client::Endpoint endpoint)
    : proxy_(std::move(proxy)), endpoint_(std::move(endpoint)) {
  if (proxy_.user_name.empty()) {
    out_ = {kVersion, 1, kNoAuthentication};
  } else {
    out_ = {kVersion, 2, kNoAuthentication, kPassword};
  }
}

void Socks5::on_received(ByteView bytes) {
  in_.insert(in_.end(), bytes.begin(), bytes.end());
  while (state_ == State::opening && take_step()) {
  }
}

bool Socks5::take_step() {
  switch (step_) {
    case Step::greeting:
      return take_method();
    case Step::authentication:
      return take_verdict();
    case Step::request:
      return take_reply();
    case Step::done:
      break;
  }
  return false;
}

bool Socks5::take_method() {
  if (!in_.empty() && in_[0] != kVersion) {
    fail("the proxy does not speak SOCKS5");
    return false;
  }
  if (in_.size() < 2) return false;
  const Byte method = in_[1];
  in_.erase(in_.begin(), in_.begin() + 2);
  if (method == kNoAuthentication) {
    request();
  } else if (method == kPassword && !proxy_.user_name.empty()) {
    out_.push_back(1);
    put(proxy_.user_name);
    put(proxy_.password);
    step_ = Step::authentication;
  } else if (proxy_.user_name.empty()) {
    fail("the proxy wants a user name and a password");
  } else {
    fail("the proxy wants another kind of authentication than a password");
  }
  return true;
}

bool Socks5::take_verdict() {
  if (in_.size() < 2) return false;
  const bool is_let_in = in_[1] == 0;
  in_.erase(in_.begin(), in_.begin() + 2);
  if (is_let_in) {
    request();
  } else {
    fail("the proxy does not take the user name and the password");
  }
  return true;
}

void Socks5::request() {
  step_ = Step::request;
  out_.insert(out_.end(), {kVersion, kConnect, 0});
  std::array<Byte, 16> address{};
  if (uv_inet_pton(AF_INET, endpoint_.host.c_str(), address.data()) == 0) {
    out_.push_back(kIpv4);
    out_.insert(out_.end(), address.begin(), address.begin() + 4);
  } else if (uv_inet_pton(AF_INET6, endpoint_.host.c_str(), address.data()) == 0) {
    out_.push_back(kIpv6);
    out_.insert(out_.end(), address.begin(), address.end());
  } else {
    out_.push_back(kName);
    put(endpoint_.host);
  }
  out_.push_back(static_cast<Byte>(endpoint_.port >> 8U));
  out_.push_back(static_cast<Byte>(endpoint_.port & 0xFFU));
}

bool Socks5::take_reply() {
  if (in_.size() < 2) return false;
  if (in_[0] != kVersion || in_[1] != 0) {
    fail("the proxy cannot connect: " + words_of(in_[1]));
    return false;
  }
  if (in_.size() < kReplyHead + 1) return false;
  std::size_t size = kReplyHead + 2;  // and an address, which is of no account
  if (in_[3] == kIpv4) {
    size += 4;
  } else if (in_[3] == kIpv6) {
    size += 16;
  } else {
    size += 1U + in_[4];
  }
  if (in_.size() < size) return false;
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(size));
  step_ = Step::done;
  state_ = State::open;
  return true;
}

/// With its length in front, which the command line has checked.
void Socks5::put(std::string_view text) {
  text = text.substr(0, 255);
  out_.push_back(static_cast<Byte>(text.size()));
  out_.insert(out_.end(), text.begin(), text.end());
}

void Socks5::fail(std::string words) {
  state_ = State::failed;
  trouble_ = std::move(words);
}

std::size_t Socks5::read(std::span<Byte> room) {
  if (state_ != State::open) return 0;
  const std::size_t size = std::min(room.size(), in_.size());
  std::copy_n(in_.begin(), size, room.begin());
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(size));
  return size;
}

void Socks5::write(ByteView bytes) {
  out_.insert(out_.end(), bytes.begin(), bytes.end());
}

void Socks5::take_output(std::vector<Byte>& out) {
  out.insert(out.end(), out_.begin(), out_.end());
  out_.clear();
}

}  // namespace mq::net
