#include "bench/client.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

// One buffer for all: what was left of a connection's last read is put in front, then the kernel
// reads behind it, and frames are cut where they lie. A generator that copied would be slower than
// the brokers it is to load.

namespace mq::bench {
namespace {

constexpr std::size_t kReadSize = 256U << 10U;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void watch(int epoll, int operation, int fd, Client* client, bool is_stalled) {
  epoll_event event{};
  event.events = is_stalled ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = client;
  epoll_ctl(epoll, operation, fd, &event);
}

}  // namespace

Client::Client(Loop& loop, std::uint16_t port, Hearer& hearer) : loop_(loop), hearer_(hearer) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int code = errno;
    ::close(fd_);
    throw std::system_error(code, std::generic_category(), "connect");
  }
  const int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  // So that 20,000 connections a second do not use up all ports.
  const linger at_once{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fcntl(fd_, F_SETFL, O_NONBLOCK);
  watch(loop_.epoll_, EPOLL_CTL_ADD, fd_, this, false);
}

Client::~Client() {
  close();
  std::erase(loop_.touched_, this);
}

void Client::send(const Bytes& frame) {
  out_.insert(out_.end(), frame.begin(), frame.end());
  touch();
}

void Client::touch() {
  if (!std::exchange(is_touched_, true)) loop_.touched_.push_back(this);
}

void Client::read(Bytes& buffer) {
  const std::size_t kept = rest_.size();
  if (buffer.size() < kept + kReadSize) buffer.resize(kept + kReadSize);
  const ssize_t count = recv(fd_, buffer.data() + kept, kReadSize, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    close();
    return hearer_.on_closed(*this);
  }
  std::ranges::copy(rest_, buffer.begin());
  ByteView left(buffer.data(), kept + static_cast<std::size_t>(count));
  while (is_open()) {
    const Frame frame = cut(left);
    if (frame.size == 0) break;
    hearer_.on_frame(*this, frame);
    left = left.subspan(frame.size);
  }
  rest_.assign(left.begin(), left.end());
}

void Client::write() {
  while (is_open() && written_ < out_.size()) {
    const ssize_t count = ::send(fd_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) {
      close();
      return hearer_.on_closed(*this);
    }
    if (count < 0) break;
    written_ += static_cast<std::size_t>(count);
  }
  if (written_ == out_.size()) {
    out_.clear();
    written_ = 0;
  }
  const bool is_stalled = !out_.empty();
  if (is_open() && is_stalled != is_stalled_) {
    watch(loop_.epoll_, EPOLL_CTL_MOD, fd_, this, is_stalled);
  }
  is_stalled_ = is_stalled;
}

void Client::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)), buffer_(2 * kReadSize) {
  if (epoll_ < 0) fail("epoll_create1");
}

Loop::~Loop() {
  retired_.clear();
  ::close(epoll_);
}

void Loop::turn(std::chrono::nanoseconds patience) {
  if (in_step_with_ == nullptr) {
    write_touched();
  } else if (!touched_.empty()) {
    while (!in_step_with_->is('S') || hear({})) {
    }
    in_step_with_->stop();
    write_touched();
    in_step_with_->go_on();
  }
  hear(patience);
  retired_.clear();
}

void Loop::write_touched() {
  for (Client* client : std::exchange(touched_, {})) {
    client->is_touched_ = false;
    client->write();
  }
}

bool Loop::hear(std::chrono::nanoseconds patience) {
  std::array<epoll_event, 1024> events;
  const timespec limit{patience.count() / 1'000'000'000, patience.count() % 1'000'000'000};
  const int count = epoll_pwait2(epoll_, events.data(), events.size(), &limit, nullptr);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    auto& client = *static_cast<Client*>(event.data.ptr);
    if (client.is_open() && (event.events & ~EPOLLOUT) != 0) client.read(buffer_);
    if (client.is_stalled_) client.touch();
  }
  return count > 0;
}

}  // namespace mq::bench
