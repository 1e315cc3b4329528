#include <algorithm>
#include <array>

#include "net/client_driver.hpp"

// A connection that passes through a filter. What the filter puts out lies in the link until the
// socket has taken it, because libuv may hold on to it for longer than there is a filter; and only
// when all of it is taken does the filter get more from the core, so that memory stays bounded.

namespace mq::net {

namespace {

constexpr std::size_t kPiecesPerWrite = 64;
constexpr std::size_t kWriteSize = 64U << 10U;
constexpr std::size_t kRoomSize = 256U << 10U;

}  // namespace

void ClientDriver::on_filtered_read(ByteView bytes) {
  filter_->on_received(bytes);
  read_filter();
}

void ClientDriver::read_filter() {
  while (follow_filter() && is_filter_open_) {
    const std::span<Byte> tail = core_.tail();
    const std::span<Byte> room = tail.empty() ? std::span(room_.get(), kRoomSize) : tail;
    const std::size_t size = filter_->read(room);
    if (size == 0) break;
    application_.on_bytes_received(room.first(size));
    if (tail.empty()) {
      core_.on_bytes(room.first(size), loop_.now());
    } else {
      core_.on_tail(size, loop_.now());
    }
    take_events();
  }
  follow_filter();
}

bool ClientDriver::follow_filter() {
  if (!filter_) return false;
  if (filter_->state() == Filter::State::open && !is_filter_open_) {
    is_filter_open_ = true;
    core_.on_open(loop_.now());
    take_events();
  } else if (filter_->state() == Filter::State::closed) {
    say_last_words();
    drop(UV_EOF);
  } else if (filter_->state() == Filter::State::failed) {
    const std::string words = filter_->trouble();
    say_last_words();
    drop_link();
    core_.on_close(words, loop_.now());
    take_events();
  }
  return filter_ != nullptr;
}

/// The peer may like to know why, if the socket takes it at once.
void ClientDriver::say_last_words() {
  filter_->take_output(link_->filtered);
  if (link_->is_writing || link_->filtered.empty()) return;
  const auto rest = uv_buf_init(reinterpret_cast<char*>(link_->filtered.data()),
                                static_cast<unsigned>(link_->filtered.size()));
  uv_try_write(&link_->stream, &rest, 1);
}

bool ClientDriver::write_filtered() {
  if (link_->is_writing || link_->is_shut_down) return false;
  bool has_sent = false;
  auto& out = link_->filtered;
  std::array<ByteView, kPiecesPerWrite> pieces;
  while (true) {
    std::size_t taken = 0;
    while (is_filter_open_ && core_.has_output() && taken < kWriteSize) {
      const std::size_t count = core_.gather(pieces);
      std::size_t size = 0;
      for (std::size_t i = 0; i < count && taken + size < kWriteSize; ++i) {
        const ByteView piece = pieces[i].first(std::min(pieces[i].size(), kWriteSize));
        filter_->write(piece);
        size += piece.size();
        if (piece.size() < pieces[i].size()) break;
      }
      on_sent(size);
      taken += size;
      has_sent = true;
    }
    const bool is_last = is_draining_ && !core_.has_output();
    if (is_last) filter_->close();
    filter_->take_output(out);
    if (out.empty()) {
      if (is_last) shut_down();
      return has_sent && !is_last;
    }
    const auto buffer =
        uv_buf_init(reinterpret_cast<char*>(out.data()), static_cast<unsigned>(out.size()));
    const int sent = uv_try_write(&link_->stream, &buffer, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
      drop(sent);
      return false;
    }
    if (sent > 0) out.erase(out.begin(), out.begin() + sent);
    if (!out.empty()) break;
  }
  const auto rest =
      uv_buf_init(reinterpret_cast<char*>(out.data()), static_cast<unsigned>(out.size()));
  link_->is_writing = true;
  uv_idle_start(idle_.get(), [](uv_idle_t*) {});
  const int code = uv_write(&link_->write, &link_->stream, &rest, 1, on_written);
  if (code != 0) {
    drop(code);
  } else if (is_draining_) {
    linger();
  }
  return false;
}

void ClientDriver::on_filtered_written() {
  link_->filtered.clear();
  if (is_draining_) linger();
  take_events();
}

}  // namespace mq::net
