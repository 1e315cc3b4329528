#include "bench/faulty_broker.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "bench/frames.hpp"

namespace mq::bench {
namespace {

constexpr int kFaultAt = 10;

struct Guest {
  int fd;
  Bytes in;
  bool is_subscribed = false;
};

void write_all(int fd, const Bytes& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t count = send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (count <= 0) return;
    at += static_cast<std::size_t>(count);
  }
}

/// What leaves for each PUBLISH that comes.
class Line {
 public:
  explicit Line(Wrong wrong) : wrong_(wrong) {}

  Bytes pass(Bytes frame) {
    if (++count_ == kFaultAt) {
      if (wrong_ == Wrong::lose) return {};
      if (wrong_ == Wrong::swap) return std::exchange(held_, std::move(frame)), Bytes();
      if (wrong_ == Wrong::alter) frame.back() ^= 1U;
      if (wrong_ == Wrong::repeat) held_ = frame;
    }
    frame.insert(frame.end(), held_.begin(), held_.end());
    held_.clear();
    return frame;
  }

 private:
  Wrong wrong_;
  int count_ = 0;
  Bytes held_;
};

void answer(Guest& guest, const Frame& frame, const std::vector<Guest>& guests, Line& line) {
  const Byte* body = frame.body.data();
  if (frame.type() == kConnect) write_all(guest.fd, {kConnack << 4U, 2, 0, 0});
  if (frame.type() == kSubscribe) {
    guest.is_subscribed = true;
    write_all(guest.fd, {kSuback << 4U, 3, body[0], body[1], 0});
  }
  if (frame.type() != kPublish) return;
  const Byte* end = body + frame.body.size();
  const Bytes out = line.pass(Bytes(end - frame.size, end));
  for (const Guest& other : guests) {
    if (other.is_subscribed) write_all(other.fd, out);
  }
}

bool read_some(Guest& guest) {
  std::array<Byte, 4096> bytes{};
  const ssize_t count = recv(guest.fd, bytes.data(), bytes.size(), 0);
  if (count <= 0) return false;
  guest.in.insert(guest.in.end(), bytes.begin(), bytes.begin() + count);
  return true;
}

}  // namespace

FaultyBroker::FaultyBroker(Wrong wrong) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  MQ_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  MQ_CHECK(listen(listener_, 16) == 0);
  MQ_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  MQ_CHECK(pipe(stop_) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this, wrong] { run(wrong); });
}

FaultyBroker::~FaultyBroker() {
  close(stop_[1]);
  thread_.join();
  close(stop_[0]);
  close(listener_);
}

void FaultyBroker::run(Wrong wrong) const {
  std::vector<Guest> guests;
  Line line(wrong);
  while (true) {
    std::vector<pollfd> polled{{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Guest& guest : guests) polled.push_back({guest.fd, POLLIN, 0});
    poll(polled.data(), polled.size(), -1);
    if (polled[0].revents != 0) break;
    for (std::size_t i = 0; i < guests.size(); ++i) {
      Guest& guest = guests[i];
      if (polled[i + 2].revents != 0 && !read_some(guest)) {
        close(std::exchange(guest.fd, -1));
        guest.is_subscribed = false;
      }
      for (Frame frame = cut(guest.in); frame.size > 0; frame = cut(guest.in)) {
        answer(guest, frame, guests, line);
        guest.in.erase(guest.in.begin(), guest.in.begin() + static_cast<long>(frame.size));
      }
    }
    if (polled[1].revents != 0) guests.push_back({accept(listener_, nullptr, nullptr), {}});
  }
  for (const Guest& guest : guests) close(guest.fd);
}

}  // namespace mq::bench
