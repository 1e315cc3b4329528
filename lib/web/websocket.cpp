#include "web/websocket.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/printable.hpp"
#include "web/frames.hpp"
#include "web/handshake.hpp"

// First a header of HTTP comes, and is gathered; then frames. What frames carry waits in `content_`
// for the reader; what is to be sent waits in `pending_`, to leave as one frame.

namespace mq::web {

namespace {

/// A connection that is silent gives back what it has had of memory above this.
constexpr std::size_t kKept = 256;
/// Proxies on the way add many lines to an answer.
constexpr std::size_t kAnswerMax = 16U << 10U;

void drop_content(std::vector<Byte>& bytes) {
  bytes.clear();
  if (bytes.capacity() > kKept) bytes.shrink_to_fit();
}

class WebSocket : public Filter {
 public:
  void on_received(ByteView bytes) final;
  std::size_t read(std::span<Byte> room) final;
  void write(ByteView bytes) final { pending_.insert(pending_.end(), bytes.begin(), bytes.end()); }
  void close() final;
  void take_output(std::vector<Byte>& out) final;
  bool has_output() const final {
    return !out_.empty() || !pending_.empty() || frames_.has_output();
  }
  State state() const final;
  const std::string& trouble() const final { return trouble_; }

 protected:
  explicit WebSocket(std::optional<Prng> masks) : frames_(masks) {}
  /// Looks at the peer's header, which is whole, and calls open() or fail().
  virtual void on_header(std::string_view header) = 0;
  /// Looks at the first byte of it.
  virtual void on_first(Byte) {}
  virtual void on_header_too_long() = 0;
  virtual std::size_t header_size_max() const = 0;
  /// Whom its words are about.
  virtual std::string_view subject() const = 0;

  void say(std::string_view header) { out_.insert(out_.end(), header.begin(), header.end()); }
  void open() { state_ = State::open; }
  void fail(std::string words) {
    state_ = State::failed;
    trouble_ = std::move(words);
  }

 private:
  /// Returns what comes behind the header, and nothing until it is whole.
  ByteView take_header(ByteView bytes);
  void end();

  Frames frames_;
  std::string header_;         ///< the peer's, as far as it has come
  std::vector<Byte> content_;  ///< not yet read
  std::size_t read_ = 0;       ///< what has been read of it
  std::vector<Byte> pending_;  ///< not yet in a frame
  std::vector<Byte> out_;      ///< what leaves before that
  State state_ = State::opening;
  std::string trouble_;
};

void WebSocket::on_received(ByteView bytes) {
  if (state_ == State::opening) bytes = take_header(bytes);
  if (state_ != State::open || bytes.empty()) return;
  frames_.on_received(bytes, content_);
  if (frames_.is_over()) end();
}

ByteView WebSocket::take_header(ByteView bytes) {
  if (header_.empty() && !bytes.empty()) on_first(bytes[0]);
  if (state_ != State::opening) return {};
  const std::size_t known = header_.size();
  header_ += text_of(bytes.first(std::min(bytes.size(), header_size_max() - known)));
  const std::size_t size = header_size(header_);
  if (size == 0) {
    if (header_.size() >= header_size_max()) on_header_too_long();
    return {};
  }
  on_header(std::string_view(header_).substr(0, size));
  header_ = {};
  return bytes.subspan(size - known);
}

/// The peer has closed, or it must be closed for what it has sent.
void WebSocket::end() {
  const CloseCode code = frames_.code();
  const std::string& words = frames_.words();
  if (frames_.is_peers_fault()) {
    return fail(std::string(subject()) + " sends through the WebSocket " + words);
  }
  using enum CloseCode;
  if (code == normal || code == going_away || code == no_status) {
    state_ = State::closed;
  } else {
    fail(std::string(subject()) +
         " closes the WebSocket: " + std::to_string(static_cast<unsigned>(code)) +
         (words.empty() ? "" : " " + as_word(words, 150)));
  }
}

/// What came before the end is read first.
Filter::State WebSocket::state() const {
  return read_ < content_.size() ? State::open : state_;
}

std::size_t WebSocket::read(std::span<Byte> room) {
  const std::size_t size = std::min(room.size(), content_.size() - read_);
  std::copy_n(content_.begin() + static_cast<std::ptrdiff_t>(read_), size, room.begin());
  read_ += size;
  if (read_ == content_.size()) {
    drop_content(content_);
    read_ = 0;
  }
  return size;
}

void WebSocket::close() {
  if (state_ != State::open) return;
  std::vector<Byte> before;  // a goodbye would overtake what wslay has not yet put out
  take_output(before);
  out_ = std::move(before);
  frames_.close(CloseCode::normal, {});
}

void WebSocket::take_output(std::vector<Byte>& out) {
  out.insert(out.end(), out_.begin(), out_.end());
  drop_content(out_);
  if (state_ == State::open && !pending_.empty()) frames_.write(pending_);
  drop_content(pending_);
  frames_.take_output(out);
}

class Server final : public WebSocket {
 public:
  explicit Server(std::shared_ptr<const ServerOptions> options)
      : WebSocket(std::nullopt), options_(std::move(options)) {}

 private:
  void on_header(std::string_view header) override {
    Answer answer = answer_to(header, *options_);
    say(answer.bytes);
    if (answer.objection.empty()) {
      open();
    } else {
      fail(std::move(answer.objection));
    }
  }
  void on_first(Byte first) override {
    constexpr Byte kConnect = 0x10;
    constexpr Byte kTlsHandshake = 0x16;
    if (first >= 'A' && first <= 'Z') return;
    std::string what = "what it speaks is no HTTP";
    if (first == kConnect) what = "it speaks MQTT without WebSocket";
    if (first == kTlsHandshake) what = "it speaks TLS";
    fail(what + ", and this listener is for WebSockets");
  }
  void on_header_too_long() override {
    say("HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n");
    fail("its HTTP request is longer than " + std::to_string(options_->header_size_max) +
         " bytes (see packet_buffer_size)");
  }
  std::size_t header_size_max() const override { return options_->header_size_max; }
  std::string_view subject() const override { return "it"; }

  std::shared_ptr<const ServerOptions> options_;
};

class Client final : public WebSocket {
 public:
  Client(std::shared_ptr<const ClientOptions> options, std::string_view host, Prng chance)
      : WebSocket(Prng(chance.next())), options_(std::move(options)), key_(make_key(chance)) {
    say(request_of(*options_, host, key_));
  }

 private:
  void on_header(std::string_view header) override {
    std::string objection = objection_to(header, key_, options_->path);
    if (objection.empty()) {
      open();
    } else {
      fail(std::move(objection));
    }
  }
  void on_first(Byte first) override {
    if (first != 'H') fail("the server is no WebSocket server: what it says is no HTTP");
  }
  void on_header_too_long() override {
    fail("the server's answer to the WebSocket request is longer than 16 KiB");
  }
  std::size_t header_size_max() const override { return kAnswerMax; }
  std::string_view subject() const override { return "the server"; }

  std::shared_ptr<const ClientOptions> options_;
  std::string key_;
};

}  // namespace

MakeFilter websocket_server(ServerOptions options) {
  return [shared = std::make_shared<const ServerOptions>(std::move(options))] {
    return std::make_unique<Server>(shared);
  };
}

MakeFilter websocket_client(ClientOptions options, std::string host, Prng chance) {
  return
      [shared = std::make_shared<const ClientOptions>(std::move(options)), host = std::move(host),
       chance]() mutable { return std::make_unique<Client>(shared, host, Prng(chance.next())); };
}

}  // namespace mq::web
