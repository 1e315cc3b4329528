#include <array>
#include <vector>

#include "base/check.hpp"
#include "client/core.hpp"
#include "script.hpp"
#include "wire/encode.hpp"

// The input is a script: what the application wants, what the server sends, well-formed or not, how
// time passes and when the transport breaks. What the client sends is well-formed all the same.

namespace mq {

namespace {

using fuzz::Script;
using wire::QoS;
using wire::Version;

class Play {
 public:
  explicit Play(Script& script) : script_(script), core_(settings(), Prng(script.byte())) {
    now_.steady += Seconds(1000);
    core_.connect(now_);
  }

  void run() {
    for (int i = 0; i < 200 && !script_.is_over(); ++i) {
      step();
      while (core_.next_event(now_)) {
      }
      if (core_.transport() != client::Transport::open) is_open_ = false;
      send();
    }
  }

 private:
  client::Settings settings() {
    client::Settings settings;
    version_ = script_.flag() ? Version::v5 : Version::v311;
    settings.version = version_;
    settings.client_id = "me";
    settings.clean_start = script_.flag();
    settings.retry = client::Retry::always;
    settings.retry_first = Millis(10);
    settings.keep_alive = 5;
    if (script_.flag()) settings.properties.add(wire::PropertyId::topic_alias_maximum, 2U);
    return settings;
  }

  void step() {
    const auto act = script_.below(16);
    if (!is_open_ && core_.transport() == client::Transport::open) {
      if (act == 0) return core_.on_open_failed("no", now_);
      is_open_ = true;
      framer_ = wire::Framer();
      return core_.on_open(now_);
    }
    const auto id = script_.two_bytes();
    const auto reason =
        script_.flag() ? wire::ReasonCode::success : wire::ReasonCode::quota_exceeded;
    switch (act) {
      case 0:
      case 1:
        return advance();
      case 2:
        if (core_.transport() != client::Transport::none) core_.on_close("cut", now_);
        is_open_ = false;
        return;
      case 3:
      case 4:
        return publish();
      case 5:
        return subscribe();
      case 6:
        return feed(script_.bytes());
      case 7:
        return hear(wire::Connack{.session_present = script_.flag()});
      case 8:
        return hear(wire::Puback{id, reason, {}});
      case 9:
        return hear(wire::Pubrec{id, reason, {}});
      case 10:
        return hear(wire::Pubrel{id, {}, {}});
      case 11:
        return hear(wire::Pubcomp{id, {}, {}});
      case 12: {
        constexpr std::array<Byte, 1> kGranted{0};
        return hear(wire::Suback{.packet_id = id, .codes = kGranted});
      }
      case 13:
        return hear(wire::Publish{.qos = static_cast<QoS>(script_.below(3)),
                                  .topic = "t",
                                  .packet_id = id,
                                  .payload = script_.bytes()});
      case 14:
        return hear(wire::Pingresp{});
      default:
        return hear(wire::Disconnect{reason, {}});
    }
  }

  void advance() {
    now_.steady += Millis(script_.two_bytes());
    if (core_.next_deadline() <= now_.steady) core_.on_deadline(now_);
  }

  void publish() {
    const wire::Publish message{.qos = static_cast<QoS>(script_.below(3)),
                                .retain = script_.flag(),
                                .topic = script_.flag() ? "t" : "topic",
                                .payload = script_.bytes()};
    (void)core_.publish(message, now_);
  }

  void subscribe() {
    wire::Subscribe request;
    request.subscriptions = {{"t", {}}};
    if (script_.flag()) {
      (void)core_.subscribe(request, now_);
    } else {
      wire::Unsubscribe end;
      end.filters = {"t"};
      (void)core_.unsubscribe(end, now_);
    }
  }

  template <class P>
  void hear(const P& packet) {
    std::vector<Byte> bytes;
    wire::encode(packet, version_, bytes);
    feed(bytes);
  }

  void feed(ByteView bytes) {
    if (!is_open_) return;
    std::vector<Byte> kept(bytes.begin(), bytes.end());
    core_.on_bytes(kept, now_);
    while (core_.next_event(now_)) {
    }
  }

  void send() {
    std::array<ByteView, 4> pieces;
    while (core_.has_output()) {
      std::size_t size = 0;
      const auto count = core_.gather(pieces);
      for (std::size_t i = 0; i < count; ++i) {
        framer_.feed(pieces[i]);
        size += pieces[i].size();
        while (true) {
          const auto frame = framer_.next(wire::kMaximumPacketSize);
          MQ_CHECK(frame.has_value());
          if (!*frame) break;
          MQ_CHECK(wire::decode(**frame, version_).has_value());
        }
      }
      core_.on_sent(size, now_);
    }
  }

  Script& script_;
  Version version_{};
  Now now_{};
  client::Core core_;
  wire::Framer framer_;
  bool is_open_ = false;
};

}  // namespace

}  // namespace mq

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  mq::fuzz::Script script({data, size});
  mq::Play(script).run();
  return 0;
}
