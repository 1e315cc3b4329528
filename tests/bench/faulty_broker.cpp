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
constexpr int kLast = 100;

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
    ++count_;
    if (wrong_ == Wrong::repeat_all) all_.insert(all_.end(), frame.begin(), frame.end());
    if (count_ == kLast) held_ = std::exchange(all_, {});
    if (count_ == kFaultAt) {
      if (wrong_ == Wrong::lose) return {};
      if (wrong_ == Wrong::swap) return std::exchange(held_, std::move(frame)), Bytes();
      if (wrong_ == Wrong::alter) frame.back() ^= 1U;
      if (wrong_ == Wrong::rename) frame[4] ^= 1U;  // behind a header of two bytes and a length
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
  Bytes all_;
};

Bytes acknowledgement(Type type, unsigned packet_id) {
  Bytes frame;
  put_acknowledgement(frame, type, packet_id);
  return frame;
}

void pass_on(const Guest& from, const Frame& frame, const std::vector<Guest>& guests, Line& line,
             Wrong wrong) {
  const Byte* body = frame.body.data();
  const Byte* end = body + frame.body.size();
  const Bytes out = line.pass(Bytes(end - frame.size, end));
  for (const Guest& guest : guests) {
    const bool is_receiver =
        wrong == Wrong::echo ? guest.fd == from.fd : guest.is_subscribed && guest.fd >= 0;
    if (is_receiver) write_all(guest.fd, out);
  }
  if (frame.qos() == 0) return;
  const unsigned packet_id = two_bytes(body + 2 + two_bytes(body));
  const bool is_short = frame.qos() == 1 || wrong == Wrong::short_handshake;
  write_all(from.fd, acknowledgement(is_short ? kPuback : kPubrec, packet_id));
}

/// Returns whether the guest may stay.
bool answer(Guest& guest, const Frame& frame, const std::vector<Guest>& guests, Line& line,
            Wrong wrong) {
  const Byte* body = frame.body.data();
  switch (frame.type()) {
    case kConnect:
      if (wrong == Wrong::refuse) return false;
      write_all(guest.fd, {kConnack << 4U, 2, wrong == Wrong::remember ? Byte{1} : Byte{0}, 0});
      return true;
    case kSubscribe: {
      guest.is_subscribed = true;
      const Byte granted = wrong == Wrong::deny ? Byte{0x80} : body[frame.body.size() - 1];
      write_all(guest.fd, {kSuback << 4U, 3, body[0], body[1], granted});
      return true;
    }
    case kPublish:
      pass_on(guest, frame, guests, line, wrong);
      return true;
    case kPubrec:
      if (wrong == Wrong::short_handshake) return true;
      write_all(guest.fd, acknowledgement(kPubrel, frame.packet_id()));
      return true;
    case kPubrel:
      write_all(guest.fd, acknowledgement(kPubcomp, frame.packet_id()));
      return true;
    case kDisconnect:
      return false;
    default:
      return true;
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
      if (polled[i + 2].revents == 0) continue;
      bool stays = read_some(guest);
      for (Frame frame = cut(guest.in); stays && frame.size > 0; frame = cut(guest.in)) {
        stays = answer(guest, frame, guests, line, wrong);
        guest.in.erase(guest.in.begin(), guest.in.begin() + static_cast<long>(frame.size));
      }
      if (stays) continue;
      close(std::exchange(guest.fd, -1));
      guest.is_subscribed = false;
    }
    if (polled[1].revents != 0) guests.push_back({accept(listener_, nullptr, nullptr), {}});
  }
  for (const Guest& guest : guests) close(guest.fd);
}

}  // namespace mq::bench
