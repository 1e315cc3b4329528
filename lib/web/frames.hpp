#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/prng.hpp"
#include "web/wslay.hpp"

namespace mq::web {

/// Why a WebSocket is closed, as its last frame says it.
///
/// Spec  RFC 6455 §7.4.1
enum class CloseCode : std::uint16_t {
  none = 0,
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  no_status = 1005,
  invalid_text = 1007,
  policy_violation = 1008,
  too_big = 1009,
};

/// The frames of one open WebSocket, in both directions: bytes from the network become content,
/// content becomes bytes. Pings are answered, closing is agreed upon.
class Frames {
 public:
  /// masks  what a client hides its frames with; none: this is a server
  explicit Frames(std::optional<Prng> masks) : masks_(masks) {}
  ~Frames() { rest(); }
  Frames(const Frames&) = delete;
  Frames& operator=(const Frames&) = delete;

  /// Bytes from the network. What they carry is appended to `content`, never more than they are.
  void on_received(ByteView bytes, std::vector<Byte>& content);
  /// One binary frame.
  void write(ByteView content);
  /// The last frame.
  void close(CloseCode code, std::string_view words);
  void take_output(std::vector<Byte>& out);

  bool has_output() const { return machine_ != nullptr && wslay_event_want_write(machine_) != 0; }
  /// Nothing that comes from now on means anything: see code().
  bool is_over() const { return code_ != CloseCode::none; }
  /// The peer's word, or what is wrong with what it has sent.
  CloseCode code() const { return code_; }
  bool is_peers_fault() const { return is_peers_fault_; }
  /// What the peer said when it closed, or what it did wrong.
  const std::string& words() const { return words_; }

 private:
  using Machine = wslay_event_context*;

  static ssize_t on_wants_input(Machine, Byte* room, std::size_t size, int, void* self);
  static ssize_t on_output(Machine, const Byte* bytes, std::size_t size, int, void* self);
  static int on_wants_mask(Machine, Byte* mask, std::size_t size, void* self);
  static void on_frame(Machine, const wslay_event_on_frame_recv_start_arg* frame, void* self);
  static void on_content(Machine, const wslay_event_on_frame_recv_chunk_arg* part, void* self);
  static void on_message(Machine, const wslay_event_on_msg_recv_arg* message, void* self);

  bool is_client() const { return masks_.has_value(); }
  Machine machine();
  void rest();
  void rest_if_idle();
  /// wslay has told the peer.
  void break_rules();
  void refuse(CloseCode code, std::string words);
  void on_peer_closed(const wslay_event_on_msg_recv_arg& message);

  std::optional<Prng> masks_;
  Machine machine_ = nullptr;  ///< only while something is under way: it takes 8 KiB
  ByteView input_;             ///< not yet taken
  std::vector<Byte>* content_ = nullptr;
  std::vector<Byte>* out_ = nullptr;
  std::uint64_t taken_ = 0;   ///< bytes that the machine has got
  std::uint64_t framed_ = 0;  ///< bytes of the frames that have begun
  bool is_control_ = false;   ///< the frame that has begun
  bool is_message_open_ = false;
  CloseCode code_ = CloseCode::none;
  bool is_peers_fault_ = false;
  std::string words_;
};

}  // namespace mq::web
