#include <array>
#include <utility>

#include "net/broker_handles.hpp"

// Connections that pass through a filter. What it puts out is the peer's own memory until the
// socket has taken it, and only then does the filter get more from the core's queue: so that the
// queue is what grows, and what limits.
//
// A handshake costs as much as thousands of messages. When many come at once, each turn does some
// of them; the others stay unread in their sockets until the next one, and whoever is connected
// already is served in between.

namespace mq::net {

namespace {

constexpr std::size_t kPiecesPerWrite = 64;
constexpr std::size_t kWriteSize = 64U << 10U;
/// What a silent connection may keep for its next output.
constexpr std::size_t kKeptSize = 4096;
constexpr std::uint64_t kLingerMs = 2000;
/// No handshake begins in a turn of which others have taken so much.
constexpr std::uint64_t kOpeningNs = 20'000'000;

uv_buf_t buffer_of(std::vector<Byte>& bytes) {
  return uv_buf_init(reinterpret_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
}

}  // namespace

/// Hands the peer's filter some of the queue.
void BrokerDriver::fill(Peer& peer, broker::SendQueue& queue) {
  std::array<ByteView, kPiecesPerWrite> pieces;
  std::size_t taken = 0;
  while (!queue.empty() && taken < kWriteSize) {
    const std::size_t count = queue.gather(pieces);
    std::size_t size = 0;
    for (std::size_t i = 0; i < count && taken + size < kWriteSize; ++i) {
      const ByteView piece = pieces[i].first(std::min(pieces[i].size(), kWriteSize));
      pass(peer.id, Passage::sent, piece);
      peer.filtered->filter->write(piece);
      size += piece.size();
      if (piece.size() < pieces[i].size()) break;
    }
    queue.sent(size);
    taken += size;
  }
}

bool BrokerDriver::must_wait(const Peer& peer) const {
  return opening_ns_ >= kOpeningNs && peer.filtered && !peer.filtered->is_open && !peer.is_ending;
}

void BrokerDriver::on_filtered_read(Peer& peer, ByteView bytes) {
  if (peer.filtered->is_open) return filter(peer, bytes);
  const auto began = uv_hrtime();
  filter(peer, bytes);
  opening_ns_ += uv_hrtime() - began;
}

void BrokerDriver::filter(Peer& peer, ByteView bytes) {
  Filtered& filtered = *peer.filtered;
  filtered.filter->on_received(bytes);
  while (follow_filter(peer)) {
    std::span<Byte> room = core_.tail(peer.id);
    const bool is_tail = !room.empty();
    if (!is_tail) room = pool_.room();
    const std::size_t size = filtered.filter->read(room);
    if (size == 0) break;
    pass(peer.id, Passage::received, room.first(size));
    if (is_tail) {
      core_.on_tail(peer.id, size, now());
    } else {
      pool_.use(size);
      core_.on_bytes(peer.id, room.first(size), now());
    }
    if (pool_.is_full()) flush();
  }
  follow_filter(peer);
  const bool is_there = !peer.is_ending && !uv_is_closing(&peer.handle);
  if (is_there && filtered.filter->has_output()) write_filtered(peer);
}

bool BrokerDriver::follow_filter(Peer& peer) {
  if (peer.is_ending || uv_is_closing(&peer.handle)) return false;
  Filtered& filtered = *peer.filtered;
  switch (filtered.filter->state()) {
    case Filter::State::opening:
      return false;
    case Filter::State::open:
      if (!std::exchange(filtered.is_open, true)) {
        if (auto name = filtered.filter->user_name()) core_.on_proved(peer.id, *std::move(name));
      }
      return true;
    case Filter::State::closed:
      core_.on_close(peer.id, now());
      linger(peer);
      return false;
    case Filter::State::failed:
      core_.on_broken(peer.id, filtered.filter->trouble(), now());
      linger(peer);
      return false;
  }
  return false;
}

/// The core has forgotten the peer. What the filter still has to say, it has a moment to read.
void BrokerDriver::linger(Peer& peer) {
  Filtered& filtered = *peer.filtered;
  tell_facts();
  peers_[peer.id.slot] = nullptr;
  filtered.is_open = false;
  if (!peer.is_writing) filtered.filter->take_output(filtered.out);
  if (filtered.out.empty()) return destroy(peer);
  peer.is_ending = true;
  peer.ends_by = uv_now(&loop_) + kLingerMs;
  ending_.push_back(&peer);
  write_filtered(peer);
}

void BrokerDriver::write_filtered(Peer& peer) {
  if (peer.is_writing || uv_is_closing(&peer.handle)) return;
  Filtered& filtered = *peer.filtered;
  std::vector<Byte>& out = filtered.out;
  while (true) {
    broker::SendQueue* queue = queue_of(peer);
    if (filtered.is_open && queue != nullptr) fill(peer, *queue);
    const bool is_last = peer.is_ending && (queue == nullptr || queue->empty());
    if (is_last && !std::exchange(filtered.is_closed, true)) filtered.filter->close();
    filtered.filter->take_output(out);
    if (out.empty()) break;
    const uv_buf_t buffer = buffer_of(out);
    const int sent = uv_try_write(&peer.stream, &buffer, 1);
    if (sent < 0 && sent != UV_EAGAIN) return fail(peer);
    if (sent > 0) out.erase(out.begin(), out.begin() + sent);
    if (out.empty()) continue;
    auto* write = new Write{{}, &peer, 0};
    write->request.data = write;
    const uv_buf_t rest = buffer_of(out);
    core_.count_unread(filtered.unread, out.size());
    peer.is_writing = true;
    MQ_CHECK(uv_write(&write->request, &peer.stream, &rest, 1, on_written) == 0);
    return;
  }
  if (out.capacity() > kKeptSize) out = {};
  if (filtered.is_open || peer.is_ending) on_all_sent(peer);
}

}  // namespace mq::net
