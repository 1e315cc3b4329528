#include "net/input.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

// Pipes, terminals and sockets are polled. What cannot be polled (a file, /dev/null) never makes us
// wait, so it is read once a turn, by an idle handle that keeps the loop from sleeping.

namespace mq::net {

namespace {

constexpr std::size_t kRoomSize = 256U << 10U;

template <class Handle>
void close_and_free(std::unique_ptr<Handle>& handle) {
  if (!handle) return;
  uv_close(reinterpret_cast<uv_handle_t*>(handle.release()),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

}  // namespace

Input::Input(Loop& loop, int descriptor, client::InputSink& sink)
    : loop_(loop),
      descriptor_(descriptor),
      mode_(fcntl(descriptor, F_GETFL)),
      sink_(sink),
      prepare_(std::make_unique<uv_prepare_t>()),
      poll_(std::make_unique<uv_poll_t>()),
      room_(std::make_unique_for_overwrite<Byte[]>(kRoomSize)) {
  uv_prepare_init(loop_.handle(), prepare_.get());
  prepare_->data = this;
  uv_prepare_start(prepare_.get(), on_prepare);
  uv_unref(reinterpret_cast<uv_handle_t*>(prepare_.get()));
  if (uv_poll_init(loop_.handle(), poll_.get(), descriptor_) == 0) {
    poll_->data = this;
  } else {
    poll_.reset();
    idle_ = std::make_unique<uv_idle_t>();
    uv_idle_init(loop_.handle(), idle_.get());
    idle_->data = this;
  }
  follow_wish();
}

Input::~Input() {
  close_and_free(prepare_);
  close_and_free(poll_);
  close_and_free(idle_);
  if (mode_ != -1) fcntl(descriptor_, F_SETFL, mode_);
}

void Input::on_prepare(uv_prepare_t* handle) {
  static_cast<Input*>(handle->data)->follow_wish();
}

void Input::follow_wish() {
  const bool is_wanted = !is_ended_ && sink_.wants_input();
  if (is_wanted == is_reading_) return;
  is_reading_ = is_wanted;
  if (poll_ && is_wanted) {
    uv_poll_start(poll_.get(), UV_READABLE | UV_DISCONNECT, [](uv_poll_t* handle, int, int) {
      static_cast<Input*>(handle->data)->read_some();
    });
  } else if (poll_) {
    uv_poll_stop(poll_.get());
  } else if (is_wanted) {
    uv_idle_start(idle_.get(),
                  [](uv_idle_t* handle) { static_cast<Input*>(handle->data)->read_some(); });
  } else {
    uv_idle_stop(idle_.get());
  }
}

void Input::read_some() {
  const ssize_t size = ::read(descriptor_, room_.get(), kRoomSize);
  if (size > 0) {
    sink_.on_input({room_.get(), static_cast<std::size_t>(size)}, loop_.now());
  } else if (size == 0) {
    is_ended_ = true;
    sink_.on_input_end(loop_.now());
  } else if (const int error = errno; error != EAGAIN && error != EINTR) {
    is_ended_ = true;
    sink_.on_input_failed(std::generic_category().message(error), loop_.now());
  }
  follow_wish();
}

}  // namespace mq::net
