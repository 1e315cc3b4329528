#include <malloc.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <utility>

#include "net/broker_driver.hpp"
#include "net/broker_handles.hpp"

// What changes while the broker runs: who is told, which listeners and files there are, and who may
// be read. Files are watched by asking for their state, because only that sees through the links
// and renamed directories with which certificates are replaced.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MQ_SANITIZED_HEAP
/// Of gcc's sanitizers, which have a heap of their own, and no header for this.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace mq::net {

namespace {

constexpr unsigned kAskEveryMs = 2000;
/// A certificate and its key are two files: the second has come by then.
constexpr std::uint64_t kSettledMs = 300;
constexpr std::uint64_t kHeapEveryNs = 20'000'000;
/// Nor more often than that it takes so small a part of the time: memory may have many holes.
constexpr std::uint64_t kHeapShare = 50;
/// Less than that is not worth a search for whole pages.
constexpr std::size_t kIdleHeap = 16U << 20U;

/// 0 where it does not say.
std::size_t ask_socket(const uv_handle_t& handle, unsigned long question) {
  uv_os_fd_t socket = -1;
  int size = 0;
  if (uv_fileno(&handle, &socket) != 0) return 0;
  return ioctl(socket, question, &size) == 0 ? static_cast<std::size_t>(size) : 0;
}

std::size_t bytes_in_use(const struct mallinfo2& heap) {
#ifdef MQ_SANITIZED_HEAP
  static_cast<void>(heap);
  return __sanitizer_get_current_allocated_bytes();
#else
  return heap.uordblks + heap.hblkhd;
#endif
}

}  // namespace

void BrokerDriver::tell(FactSink facts, OpenSink opened) {
  fact_sink_ = std::move(facts);
  open_sink_ = std::move(opened);
}

void BrokerDriver::stop_listening(std::uint16_t listener) {
  for (auto& one : listeners_) {
    if (one->index == listener) close_listener(std::move(one));
  }
  std::erase(listeners_, nullptr);
}

void BrokerDriver::stop_watching() {
  for (auto& watch : std::exchange(watches_, {})) {
    uv_close(reinterpret_cast<uv_handle_t*>(&watch.release()->handle),
             [](uv_handle_t* handle) { delete static_cast<Watch*>(handle->data); });
  }
  uv_timer_stop(&watch_timer_);
}

void BrokerDriver::watch(const std::vector<std::string>& files, std::function<void()> changed) {
  stop_watching();
  on_change_ = std::move(changed);
  for (const auto& file : files) {
    auto& watch = watches_.emplace_back(std::make_unique<Watch>());
    watch->driver = this;
    uv_fs_poll_init(&loop_, &watch->handle);
    watch->handle.data = watch.get();
    const auto on_poll = [](uv_fs_poll_t* handle, int status, const uv_stat_t*, const uv_stat_t*) {
      if (status < 0) return;  // it is gone; there is another call when it is back
      auto& driver = *static_cast<Watch*>(handle->data)->driver;
      uv_timer_start(
          &driver.watch_timer_,
          [](uv_timer_t* timer) {
            auto& own = *static_cast<BrokerDriver*>(timer->data);
            const auto call = own.on_change_;
            call();  // it may replace itself
            own.stay_awake();
          },
          kSettledMs, 0);
    };
    uv_fs_poll_start(&watch->handle, on_poll, file.c_str(), kAskEveryMs);
  }
}

bool BrokerDriver::may_read(const Peer& peer) {
  return !peer.is_paused && !peer.is_held_back && !peer.is_throttled && peer.is_verified;
}

void BrokerDriver::heed_throttle() {
  for (const auto id : core_.take_throttled()) {
    Peer* peer = find(id);
    if (peer == nullptr) continue;
    peer->is_throttled = true;
    uv_read_stop(&peer->stream);
  }
  for (const auto id : core_.take_released()) {
    Peer* peer = find(id);
    if (peer == nullptr) continue;
    peer->is_throttled = false;
    if (may_read(*peer)) uv_read_start(&peer->stream, on_alloc, on_read);
  }
  if (core_.must_know_heap()) look_at_heap();
}

std::size_t BrokerDriver::unread_of(const Peer& peer) {
  return ask_socket(peer.handle, FIONREAD);
}

std::size_t BrokerDriver::unsent_of(const Peer& peer) {
  return ask_socket(peer.handle, TIOCOUTQ);
}

/// Tells the core how much is in use; and what a crowd that has left leaves free goes back to the
/// system, once.
void BrokerDriver::look_at_heap() {
  const auto began = uv_hrtime();
  if (began < heap_due_ns_) return;
  const auto heap = mallinfo2();
  core_.on_heap(bytes_in_use(heap));
  const auto end = uv_hrtime();
  heap_due_ns_ = end + std::max(kHeapEveryNs, (end - began) * kHeapShare);
  heap_trimmed_ = std::min(heap_trimmed_, heap.fordblks);
  if (heap.fordblks < heap_trimmed_ + std::max(kIdleHeap, heap.uordblks)) return;
  malloc_trim(0);
  heap_trimmed_ = heap.fordblks;
}

}  // namespace mq::net
