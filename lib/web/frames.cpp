#include "web/frames.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.hpp"

// wslay does the framing. Its machine holds two buffers of 4 KiB each, and most WebSockets are
// silent most of the time: so there is a machine only from the first byte of a frame to the last
// one of its message, and while there is something to be sent. For that the bytes are counted:
// between two frames, wslay has got as many as the frames were long that it has told of.

namespace mq::web {

namespace {

/// The longest MQTT packet.
constexpr std::uint64_t kLongestFrame = 268'435'460;
/// on_frame() knows better, and has words.
constexpr std::uint64_t kAnyLength = std::numeric_limits<std::int64_t>::max();
/// Answers to pings that wait to be sent.
constexpr std::size_t kMostQueued = 64;

std::uint64_t whole_size(std::uint64_t content_size, bool is_masked) {
  std::uint64_t header = 2;
  if (content_size > 125) header += 2;
  if (content_size > 0xFFFF) header += 6;
  return header + (is_masked ? 4U : 0U) + content_size;
}

}  // namespace

auto Frames::machine() -> Machine {
  if (machine_ != nullptr) return machine_;
  constexpr wslay_event_callbacks kCallbacks{on_wants_input, on_output, on_wants_mask, on_frame,
                                             on_content,     nullptr,   on_message};
  const auto& init =
      is_client() ? wslay_event_context_client_init : wslay_event_context_server_init;
  MQ_CHECK(init(&machine_, &kCallbacks, this) == 0);
  wslay_event_config_set_no_buffering(machine_, 1);
  wslay_event_config_set_max_recv_msg_length(machine_, kAnyLength);
  return machine_;
}

void Frames::rest() {
  if (machine_ != nullptr) wslay_event_context_free(std::exchange(machine_, nullptr));
}

void Frames::rest_if_idle() {
  if (machine_ == nullptr || is_over() || is_message_open_ || taken_ != framed_) return;
  const bool has_closed = wslay_event_get_write_enabled(machine_) == 0;
  if (!has_output() && !has_closed) rest();
}

void Frames::on_received(ByteView bytes, std::vector<Byte>& content) {
  if (is_over()) return;
  input_ = bytes;
  content_ = &content;
  wslay_event_recv(machine());
  content_ = nullptr;
  if (!is_over() && wslay_event_get_read_enabled(machine_) == 0) {  // it has queued the goodbye
    break_rules();
  }
  rest_if_idle();
}

void Frames::write(ByteView content) {
  // [MQTT-6.0.0-1]
  const wslay_event_msg message{WSLAY_BINARY_FRAME, content.data(), content.size()};
  wslay_event_queue_msg(machine(), &message);
}

void Frames::close(CloseCode code, std::string_view words) {
  wslay_event_queue_close(machine(), static_cast<std::uint16_t>(code), bytes_of(words).data(),
                          std::min<std::size_t>(words.size(), 122));
}

void Frames::take_output(std::vector<Byte>& out) {
  if (!has_output()) return;
  out_ = &out;
  MQ_CHECK(wslay_event_send(machine_) == 0);
  out_ = nullptr;
  rest_if_idle();
}

void Frames::break_rules() {
  code_ = CloseCode::protocol_error;
  is_peers_fault_ = true;
  words_ = "frames that break the rules";
}

void Frames::refuse(CloseCode code, std::string words) {
  close(code, words);
  wslay_event_shutdown_read(machine_);
  code_ = code;
  is_peers_fault_ = true;
  words_ = std::move(words);
}

ssize_t Frames::on_wants_input(Machine machine, Byte* room, std::size_t size, int, void* self) {
  auto& frames = *static_cast<Frames*>(self);
  if (frames.input_.empty()) {
    wslay_event_set_error(machine, WSLAY_ERR_WOULDBLOCK);
    return -1;
  }
  const ByteView part = frames.input_.first(std::min(size, frames.input_.size()));
  std::ranges::copy(part, room);
  frames.input_ = frames.input_.subspan(part.size());
  frames.taken_ += part.size();
  return static_cast<ssize_t>(part.size());
}

ssize_t Frames::on_output(Machine, const Byte* bytes, std::size_t size, int, void* self) {
  auto& out = *static_cast<Frames*>(self)->out_;
  out.insert(out.end(), bytes, bytes + size);
  return static_cast<ssize_t>(size);
}

int Frames::on_wants_mask(Machine, Byte* mask, std::size_t size, void* self) {
  auto& prng = *static_cast<Frames*>(self)->masks_;
  std::generate_n(mask, size, [&prng] { return static_cast<Byte>(prng.next()); });
  return 0;
}

void Frames::on_frame(Machine, const wslay_event_on_frame_recv_start_arg* frame, void* self) {
  auto& frames = *static_cast<Frames*>(self);
  frames.framed_ += whole_size(frame->payload_length, !frames.is_client());
  frames.is_control_ = wslay_is_ctrl_frame(frame->opcode) != 0;
  if (!frames.is_control_) frames.is_message_open_ = frame->fin == 0;
  if (frame->opcode == WSLAY_TEXT_FRAME) {
    frames.refuse(CloseCode::unsupported_data, "text, and MQTT is binary");  // [MQTT-6.0.0-1]
  } else if (frame->payload_length > kLongestFrame) {
    frames.refuse(CloseCode::too_big, "a frame of more than 256 MiB");
  }
}

void Frames::on_content(Machine, const wslay_event_on_frame_recv_chunk_arg* part, void* self) {
  auto& frames = *static_cast<Frames*>(self);
  if (frames.is_control_ || frames.is_over()) return;
  // [MQTT-6.0.0-2]
  frames.content_->insert(frames.content_->end(), part->data, part->data + part->data_length);
}

void Frames::on_message(Machine machine, const wslay_event_on_msg_recv_arg* message, void* self) {
  auto& frames = *static_cast<Frames*>(self);
  if (frames.is_over()) return;
  if (message->opcode == WSLAY_CONNECTION_CLOSE) return frames.on_peer_closed(*message);
  if (wslay_event_get_queued_msg_count(machine) > kMostQueued) {
    frames.refuse(CloseCode::policy_violation, "more pings than it takes answers");
  }
}

void Frames::on_peer_closed(const wslay_event_on_msg_recv_arg& message) {
  constexpr std::size_t kCodeSize = 2;
  const ByteView said(message.msg, message.msg_length);
  code_ = said.empty() ? CloseCode::no_status : CloseCode{message.status_code};
  if (said.size() > kCodeSize) words_ = text_of(said.subspan(kCodeSize));
  if (said.size() == 1) break_rules();
}

}  // namespace mq::web
