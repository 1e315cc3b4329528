#include "net/client_driver.hpp"

#include <sys/ioctl.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "net/buffers.hpp"

// The core says what it wants of the transport (none, open, drain); follow_wish() compares that
// with what there is, after every call into the core. So the core never calls back, and a link that
// it has given up is closed before libuv can touch the memory it was to be written from.
//
// Writing: once a turn, in uv_prepare, just before the loop would sleep: one gathering
// uv_try_write, and a uv_write for what the socket did not take. A uv_write that finds room after
// all is over at once, and libuv says so only after it has slept: so the loop does not sleep in the
// turn that began one. Draining: what is queued is written, our side is shut down, and then the
// peer has a moment to close: closing while unread input is there would reset the connection and
// could destroy what was sent.

namespace mq::net {

using client::Transport;

namespace {

constexpr std::size_t kRoomSize = 256U << 10U;

template <class Handle>
void close_and_free(std::unique_ptr<Handle>& handle) {
  if (!handle) return;
  uv_close(reinterpret_cast<uv_handle_t*>(handle.release()),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

}  // namespace

ClientDriver::ClientDriver(Loop& loop, client::Core& core, client::Application& application,
                           client::Endpoint endpoint, MakeFilter make_filter)
    : loop_(loop),
      core_(core),
      application_(application),
      endpoint_(std::move(endpoint)),
      make_filter_(std::move(make_filter)),
      prepare_(std::make_unique<uv_prepare_t>()),
      idle_(std::make_unique<uv_idle_t>()),
      timer_(std::make_unique<uv_timer_t>()),
      room_(std::make_unique_for_overwrite<Byte[]>(kRoomSize)) {
  uv_prepare_init(loop_.handle(), prepare_.get());
  uv_idle_init(loop_.handle(), idle_.get());
  uv_timer_init(loop_.handle(), timer_.get());
  prepare_->data = timer_->data = this;
}

ClientDriver::~ClientDriver() {
  finish();
}

void ClientDriver::start() {
  uv_update_time(loop_.handle());
  uv_prepare_start(prepare_.get(), on_prepare);
  core_.connect(loop_.now());
  follow_wish();
}

void ClientDriver::interrupt(int signal) {
  if (is_finished_) return;
  application_.on_interrupt(signal, loop_.now());
  take_events();
}

void ClientDriver::on_prepare(uv_prepare_t* handle) {
  static_cast<ClientDriver*>(handle->data)->turn();
}

void ClientDriver::turn() {
  uv_idle_stop(idle_.get());
  bool made_room = false;
  do {
    take_events();
    if (is_finished_) return;
    application_.on_turn_end(loop_.now());
    made_room = write();
  } while (made_room);
  take_events();
  if (!is_finished_) arm_timer();
}

void ClientDriver::take_events() {
  application_.on_events(loop_.now());
  follow_wish();
  if (application_.is_done()) finish();
}

void ClientDriver::follow_wish() {
  switch (core_.transport()) {
    case Transport::none:
      dial_.reset();
      drop_link();
      break;
    case Transport::open:
      if (!dial_ && !link_) dial();
      break;
    case Transport::drain:
      if (!is_draining_) linger();
      is_draining_ = true;
      break;
  }
}

void ClientDriver::dial() {
  dial_ = std::make_unique<Dial>(loop_, endpoint_, [this](std::expected<LinkPtr, Error> result) {
    on_dialled(std::move(result));
  });
}

void ClientDriver::on_dialled(std::expected<LinkPtr, Error> result) {
  dial_.reset();
  if (!result) {
    core_.on_open_failed(result.error().message, loop_.now());
  } else {
    link_ = std::move(*result);
    link_->handle.data = this;
    uv_read_start(&link_->stream, on_alloc, on_read);
    if (make_filter_) {
      filter_ = make_filter_();
      is_filter_open_ = false;
    } else {
      core_.on_open(loop_.now());
    }
  }
  take_events();
}

void ClientDriver::on_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
  auto& driver = *static_cast<ClientDriver*>(handle->data);
  std::span<Byte> room = driver.filter_ ? std::span<Byte>() : driver.core_.tail();
  driver.is_tail_read_ = !room.empty();
  if (room.empty()) room = {driver.room_.get(), kRoomSize};
  *buffer = uv_buf_init(reinterpret_cast<char*>(room.data()), static_cast<unsigned>(room.size()));
}

void ClientDriver::on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
  auto& driver = *static_cast<ClientDriver*>(stream->data);
  if (size == 0) return;
  if (size < 0) return driver.drop(static_cast<int>(size));
  const auto length = static_cast<std::size_t>(size);
  const ByteView bytes(reinterpret_cast<const Byte*>(buffer->base), length);
  if (driver.filter_) return driver.on_filtered_read(bytes);
  driver.application_.on_bytes_received(bytes);
  if (driver.is_tail_read_) {
    driver.core_.on_tail(length, driver.loop_.now());
  } else {
    driver.core_.on_bytes(bytes, driver.loop_.now());
  }
  driver.take_events();
}

/// The stream has ended, well or badly.
void ClientDriver::drop(int status) {
  const bool is_half_open = filter_ && !is_filter_open_;
  drop_link();
  std::string_view words = status == UV_EOF ? "" : uv_strerror(status);
  if (status == UV_EOF && is_half_open) {
    words =
        "the server closed the connection in the middle of the handshake; does it speak "
        "something else on that port?";
  }
  core_.on_close(words, loop_.now());
  take_events();
}

void ClientDriver::drop_link() {
  link_.reset();
  filter_.reset();
  is_draining_ = false;
}

/// Returns whether the socket took everything, and so there is room for more.
bool ClientDriver::write() {
  if (filter_) return write_filtered();
  if (!link_ || link_->is_writing || link_->is_shut_down) return false;
  bool has_sent = false;
  while (core_.has_output()) {
    const Buffers buffers(core_);
    const int sent = uv_try_write(&link_->stream, buffers.pieces.data(), buffers.count);
    if (sent < 0 && sent != UV_EAGAIN) {
      drop(sent);
      return false;
    }
    if (sent > 0) on_sent(static_cast<std::size_t>(sent));
    if (sent < 0 || static_cast<std::size_t>(sent) < buffers.size) {
      write_rest();
      return false;
    }
    has_sent = true;
  }
  if (is_draining_) shut_down();
  return has_sent;
}

/// The socket is full: libuv writes on when it is not.
void ClientDriver::write_rest() {
  const Buffers buffers(core_);
  link_->write_size = buffers.size;
  link_->is_writing = true;
  uv_idle_start(idle_.get(), [](uv_idle_t*) {});
  const int code =
      uv_write(&link_->write, &link_->stream, buffers.pieces.data(), buffers.count, on_written);
  if (code != 0) return drop(code);
  if (is_draining_) linger();
}

void ClientDriver::on_written(uv_write_t* request, int status) {
  if (request->handle->data == nullptr) return;  // the link was given up
  auto& driver = *static_cast<ClientDriver*>(request->handle->data);
  driver.link_->is_writing = false;
  if (status != 0) return driver.drop(status);
  if (driver.filter_) return driver.on_filtered_written();
  driver.on_sent(driver.link_->write_size);
  driver.take_events();
}

void ClientDriver::on_sent(std::size_t size) {
  std::size_t left = size;
  core_.for_first(Buffers::kMost, [&](ByteView piece) {
    const std::size_t part = std::min(left, piece.size());
    if (part > 0) application_.on_bytes_sent(piece.first(part));
    left -= part;
  });
  core_.on_sent(size, loop_.now());
  if (is_draining_) linger();
}

std::size_t ClientDriver::unsent() const {
  if (!link_) return 0;
  int socket = -1;
  int queued = 0;
  const bool is_known =
      uv_fileno(&link_->handle, &socket) == 0 && ioctl(socket, TIOCOUTQ, &queued) == 0;
  return uv_stream_get_write_queue_size(&link_->stream) +
         static_cast<std::size_t>(is_known ? queued : 0);
}

void ClientDriver::linger() {
  last_moved_ = loop_.now().steady;
  look_again_at_ = last_moved_ + kLinger;
  last_unsent_ = unsent();
}

void ClientDriver::look_at_goodbye(Instant now) {
  const std::size_t unsent = this->unsent();
  if (unsent < last_unsent_) return linger();
  if (unsent == 0) return drop(UV_EOF);
  if (now - last_moved_ >= kStandstill) return drop(UV_ETIMEDOUT);
  look_again_at_ = now + kLinger;
}

void ClientDriver::shut_down() {
  link_->is_shut_down = true;
  uv_shutdown(&link_->shutdown, &link_->stream, [](uv_shutdown_t*, int) {});
}

void ClientDriver::on_timer(uv_timer_t* handle) {
  auto& driver = *static_cast<ClientDriver*>(handle->data);
  const Now now = driver.loop_.now();
  driver.armed_for_ = kNever;
  if (driver.is_draining_ && now.steady >= driver.look_again_at_) {
    driver.look_at_goodbye(now.steady);
    if (!driver.is_draining_) return;
  }
  driver.core_.on_deadline(now);
  driver.application_.on_deadline(now);
  driver.take_events();
}

/// Only ever brought forward: deadlines that move back with every packet cost nothing.
void ClientDriver::arm_timer() {
  Instant next = std::min(core_.next_deadline(), application_.next_deadline());
  if (is_draining_) next = std::min(next, look_again_at_);
  if (next >= armed_for_) return;
  armed_for_ = next;
  const Millis wait = std::max(next - loop_.now().steady, Millis(0));
  uv_timer_start(timer_.get(), on_timer, static_cast<std::uint64_t>(wait.count()), 0);
}

void ClientDriver::finish() {
  is_finished_ = true;
  dial_.reset();
  drop_link();
  close_and_free(prepare_);
  close_and_free(idle_);
  close_and_free(timer_);
}

}  // namespace mq::net
