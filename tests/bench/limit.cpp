#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bench/frames.hpp"

// limit PORT - the least that a broker can do, as a yardstick for those that do it right.
//
// It answers by rote, knows filters without wildcards or with a # at the end, checks nothing and
// remembers no acknowledgement. What it shares with a good broker is how bytes move: everything
// that comes in one turn lies in one arena, what goes out refers to it, adjacent pieces are one,
// every connection is written once a turn, and only what the kernel does not take is copied.
//
// It writes "subscribed FILTER" on stdout for every subscription, for those who wait for that.

namespace {

using namespace mq::bench;
using mq::Byte;
using mq::ByteView;

constexpr std::size_t kReadSize = 256U << 10U;
constexpr std::size_t kArenaSize = 16U << 20U;

void check(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::exit(1);
}

/// What somebody is to get. It outlives the connection of a session that does.
struct Outbox {
  int fd = -1;
  bool is_dirty = false;
  bool is_stalled = false;
  std::vector<iovec> pieces;  ///< of this turn
  Bytes backlog;              ///< what the kernel did not take, or while nobody is there
  std::size_t taken = 0;      ///< of the backlog, by the kernel
  std::vector<std::string> filters;
};

struct Peer {
  int fd;
  Bytes rest;           ///< the start of a frame
  std::string kept_as;  ///< the client id of a session that outlives this
  std::unique_ptr<Outbox> out = std::make_unique<Outbox>();
};

class Limit {
 public:
  explicit Limit(std::uint16_t port) {
    const int one = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
    check(listen(listener_, 4096) == 0, "listen");
    watch(EPOLL_CTL_ADD, listener_, nullptr, EPOLLIN);
  }

  void run() {
    std::array<epoll_event, 1024> events;
    while (true) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        auto* peer = static_cast<Peer*>(events[static_cast<std::size_t>(i)].data.ptr);
        const auto what = events[static_cast<std::size_t>(i)].events;
        if (peer == nullptr) {
          accept_all();
        } else if (peer->fd >= 0) {
          if ((what & ~EPOLLOUT) != 0) read(*peer);
          if (peer->fd >= 0 && (what & EPOLLOUT) != 0) mark(*peer->out);
        }
      }
      flush();
      gone_.clear();
    }
  }

 private:
  struct Arena {
    std::unique_ptr<Byte[]> bytes = std::make_unique_for_overwrite<Byte[]>(kArenaSize);
    std::size_t used = 0;
  };

  void watch(int operation, int fd, Peer* peer, unsigned what) {
    epoll_event event{};
    event.events = what;
    event.data.ptr = peer;
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void accept_all() {
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      auto peer = std::make_unique<Peer>(fd);
      peer->out->fd = fd;
      watch(EPOLL_CTL_ADD, fd, peer.get(), EPOLLIN);
      by_fd_[fd] = std::move(peer);
    }
  }

  /// Room in an arena. When there is none, what refers to it is sent first.
  Byte* room(Arena& arena, std::size_t size) {
    if (arena.used + size > kArenaSize) {
      flush();
      arena.used = 0;
    }
    return arena.bytes.get() + arena.used;
  }

  void read(Peer& peer) {
    const std::size_t kept = peer.rest.size();
    Byte* start = room(in_, kept + kReadSize);
    std::ranges::copy(peer.rest, start);
    const ssize_t count = recv(peer.fd, start + kept, kReadSize, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return close(peer);
    ByteView left(start, kept + static_cast<std::size_t>(count));
    in_.used += left.size();
    while (peer.fd >= 0) {
      const Frame frame = cut(left);
      if (frame.size == 0) break;
      answer(peer, frame, left.first(frame.size));
      left = left.subspan(frame.size);
    }
    peer.rest.assign(left.begin(), left.end());
  }

  void answer(Peer& peer, const Frame& frame, ByteView whole) {
    const Byte* body = frame.body.data();
    switch (frame.type()) {
      case kConnect:
        return welcome(peer, frame.body);
      case kPublish:
        return publish(peer, frame, whole);
      case kPubrec:
        return reply(peer, kPubrel << 4U | 2U, body);
      case kPubrel:
        return reply(peer, kPubcomp << 4U, body);
      case kSubscribe:
        return subscribe(peer, frame.body);
      case kPingreq:
        static constexpr Byte kAnswer[] = {kPingresp << 4U, 0};
        return append(*peer.out, kAnswer);
      case kDisconnect:
        return close(peer);
      default:
        return;
    }
  }

  void welcome(Peer& peer, ByteView body) {
    static constexpr Byte kNew[] = {kConnack << 4U, 2, 0, 0};
    static constexpr Byte kPresent[] = {kConnack << 4U, 2, 1, 0};
    if ((body[7] & 2U) != 0) return append(*peer.out, kNew);
    const std::string id(mq::text_of(body.subspan(12, two_bytes(body.data() + 10))));
    peer.kept_as = id;
    const auto it = sleeping_.find(id);
    if (it == sleeping_.end()) return append(*peer.out, kNew);
    peer.out = std::move(it->second);
    sleeping_.erase(it);
    peer.out->fd = peer.fd;
    peer.out->backlog.insert(peer.out->backlog.begin(), std::begin(kPresent), std::end(kPresent));
    mark(*peer.out);
  }

  void publish(Peer& from, const Frame& frame, ByteView whole) {
    const std::size_t topic_end = 2 + two_bytes(frame.body.data());
    if (frame.retain()) retained_.insert(retained_.end(), whole.begin(), whole.end());
    if (frame.qos() > 0) {
      Byte* id = const_cast<Byte*>(frame.body.data()) + topic_end;  // the arena is ours
      reply(from, (frame.qos() == 1 ? kPuback : kPubrec) << 4U, id);
      // All receivers get the same bytes, which a broker can only give them with luck.
      if (++last_id_ == 0) last_id_ = 1;
      id[0] = static_cast<Byte>(last_id_ >> 8U);
      id[1] = static_cast<Byte>(last_id_);
    }
    const auto topic = mq::text_of(frame.body.subspan(2, topic_end - 2));
    for (Outbox* outbox : receivers(topic)) append(*outbox, whole);
  }

  const std::vector<Outbox*>& receivers(std::string_view topic) {
    if (topic == last_topic_) return last_receivers_;
    last_topic_ = topic;
    last_receivers_.clear();
    const auto it = exact_.find(last_topic_);
    if (it != exact_.end()) last_receivers_ = it->second;
    for (const auto& [prefix, outbox] : prefixes_) {
      if (topic.starts_with(prefix)) last_receivers_.push_back(outbox);
    }
    return last_receivers_;
  }

  void subscribe(Peer& peer, ByteView body) {
    Bytes answer{kSuback << 4U, 0, body[0], body[1]};
    for (ByteView rest = body.subspan(2); rest.size() > 3;) {
      const std::size_t size = two_bytes(rest.data());
      const std::string filter(mq::text_of(rest.subspan(2, size)));
      answer.push_back(rest[2 + size]);
      rest = rest.subspan(3 + size);
      std::printf("subscribed %s\n", filter.c_str());
      peer.out->filters.push_back(filter);
      if (filter.ends_with('#')) {
        prefixes_.emplace_back(filter.substr(0, filter.size() - 1), peer.out.get());
        answer.insert(answer.end(), retained_.begin(), retained_.end());
      } else {
        exact_[filter].push_back(peer.out.get());
      }
    }
    std::fflush(stdout);
    answer[1] = static_cast<Byte>(peer.out->filters.size());
    answer[1] = static_cast<Byte>(answer[1] + 2);
    last_topic_.clear();
    peer.out->backlog.insert(peer.out->backlog.end(), answer.begin(), answer.end());
    mark(*peer.out);
  }

  void reply(Peer& peer, unsigned first, const Byte* packet_id) {
    Byte* out = room(copies_, 4);
    copies_.used += 4;
    out[0] = static_cast<Byte>(first);
    out[1] = 2;
    out[2] = packet_id[0];
    out[3] = packet_id[1];
    append(*peer.out, {out, 4});
  }

  void append(Outbox& outbox, ByteView bytes) {
    if (outbox.fd < 0) {
      outbox.backlog.insert(outbox.backlog.end(), bytes.begin(), bytes.end());
      return;
    }
    auto* start = const_cast<Byte*>(bytes.data());
    if (!outbox.pieces.empty()) {
      iovec& last = outbox.pieces.back();
      if (static_cast<Byte*>(last.iov_base) + last.iov_len == start) {
        last.iov_len += bytes.size();
        return;
      }
    }
    outbox.pieces.push_back({start, bytes.size()});
    mark(outbox);
  }

  void mark(Outbox& outbox) {
    if (!std::exchange(outbox.is_dirty, true)) dirty_.push_back(&outbox);
  }

  void flush() {
    for (Outbox* outbox : dirty_) {
      outbox->is_dirty = false;
      if (outbox->fd >= 0) write(*outbox);
    }
    dirty_.clear();
    in_.used = copies_.used = 0;
  }

  void write(Outbox& outbox) {
    if (!outbox.backlog.empty()) {
      const ssize_t count = send(outbox.fd, outbox.backlog.data() + outbox.taken,
                                 outbox.backlog.size() - outbox.taken, MSG_NOSIGNAL);
      outbox.taken += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
      if (outbox.taken == outbox.backlog.size()) {
        outbox.backlog.clear();
        outbox.taken = 0;
      }
    }
    std::size_t at = 0;
    while (outbox.backlog.empty() && at < outbox.pieces.size()) {
      msghdr message{};
      message.msg_iov = &outbox.pieces[at];
      message.msg_iovlen = std::min<std::size_t>(outbox.pieces.size() - at, IOV_MAX);
      const ssize_t count = sendmsg(outbox.fd, &message, MSG_NOSIGNAL);
      if (count < 0) break;
      auto left = static_cast<std::size_t>(count);
      for (; at < outbox.pieces.size() && left >= outbox.pieces[at].iov_len; ++at) {
        left -= outbox.pieces[at].iov_len;
      }
      if (left == 0) continue;
      iovec& piece = outbox.pieces[at];
      piece = {static_cast<Byte*>(piece.iov_base) + left, piece.iov_len - left};
      break;
    }
    for (; at < outbox.pieces.size(); ++at) {
      const auto* start = static_cast<const Byte*>(outbox.pieces[at].iov_base);
      outbox.backlog.insert(outbox.backlog.end(), start, start + outbox.pieces[at].iov_len);
    }
    outbox.pieces.clear();
    const bool is_stalled = !outbox.backlog.empty();
    if (is_stalled == std::exchange(outbox.is_stalled, is_stalled)) return;
    watch(EPOLL_CTL_MOD, outbox.fd, by_fd_.at(outbox.fd).get(),
          is_stalled ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void close(Peer& peer) {
    const auto it = by_fd_.find(peer.fd);
    Outbox& outbox = *peer.out;
    if (outbox.is_dirty) write(outbox);
    ::close(std::exchange(peer.fd, -1));
    outbox.fd = -1;
    outbox.is_stalled = false;
    if (!peer.kept_as.empty()) {
      sleeping_[peer.kept_as] = std::move(peer.out);
    } else {
      forget(outbox);
    }
    gone_.push_back(std::move(it->second));
    by_fd_.erase(it);
  }

  void forget(Outbox& outbox) {
    std::erase(dirty_, &outbox);
    for (const auto& filter : outbox.filters) std::erase(exact_[filter], &outbox);
    std::erase_if(prefixes_, [&](const auto& entry) { return entry.second == &outbox; });
    last_topic_.clear();
  }

  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  Arena in_;
  Arena copies_;
  std::unordered_map<int, std::unique_ptr<Peer>> by_fd_;
  std::vector<std::unique_ptr<Peer>> gone_;
  std::unordered_map<std::string, std::unique_ptr<Outbox>> sleeping_;
  std::unordered_map<std::string, std::vector<Outbox*>> exact_;
  std::vector<std::pair<std::string, Outbox*>> prefixes_;
  std::vector<Outbox*> dirty_;
  std::string last_topic_;
  std::vector<Outbox*> last_receivers_;
  Bytes retained_;
  std::uint16_t last_id_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: limit PORT\n", stderr);
    return 2;
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGTERM, [](int) { std::_Exit(0); });
  Limit(static_cast<std::uint16_t>(std::atoi(argv[1]))).run();
}
