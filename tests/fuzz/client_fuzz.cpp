#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "client/core.hpp"
#include "client_owner.hpp"
#include "client_server.hpp"
#include "client_setup.hpp"
#include "script.hpp"

// The input is a script: what the application wants, what the server allows and
// sends, well-formed or not, how little of it is read or written at a time, how
// time passes and when the transport breaks. Bytes go the way that
// net::ClientDriver has them go. Whatever the script says, each outcome is told
// once, no deadline stays due, and what the client sends is what
// client_server.hpp lets pass.

namespace mq {

namespace {

using client::Transport;
using fuzz::Numbered;
using fuzz::Owner;
using fuzz::Script;
using fuzz::Server;
using wire::PropertyId;
using wire::QoS;
using wire::Version;

constexpr std::string_view kTopics[] = {"t", "topic", "a/longer/one", "another/one"};
constexpr std::string_view kFilters[] = {"t", "#", "+/x"};
/// Of payloads: the first is not copied into the output, the rest of the second
/// is read straight into the message.
constexpr std::size_t kLongOut = 20'000;
constexpr std::size_t kLongIn = 90'000;
/// So often is something due again at once, or something is wrong.
constexpr int kOften = 10;

class Play {
 public:
  explicit Play(Script& script)
      : script_(script),
        settings_(fuzz::drawn_settings(script)),
        core_(settings_, Prng(script.byte())),
        server_(settings_.version, messages_),
        owner_(server_) {
    now_.steady += Seconds(1000);
    core_.connect(now_);
  }

  void run() {
    for (int i = 0; i < 200 && !script_.is_over() && !owner_.is_over(); ++i) {
      step();
      settle();
    }
  }

 private:
  // The script.

  void step() {
    room_ = takes_ == 0 ? SIZE_MAX : takes_;
    const auto act = script_.below(32);
    const bool is_dialling = !is_open_ && core_.transport() == Transport::open;
    switch (act) {
      case 0:
        return advance();
      case 1:
        return core_.ping(now_);
      case 2:
        if (script_.below(4) == 0) core_.disconnect(wire::ReasonCode{}, now_);
        return;
      case 3:
        if (script_.below(8) == 0) core_.abandon();
        return;
      case 4:
        if (script_.below(4) == 0) core_.take_no_more();
        return;
      case 5:
      case 6:
        return subscribe();
      case 7:
        return unsubscribe();
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
        return publish();
      case 13:
        read_size_ = script_.byte() * std::size_t{script_.flag() ? 1U : 64U};
        return;
      case 14:
        takes_ = script_.byte() * std::size_t{script_.flag() ? 1U : 64U};
        return;
      default:
        if (is_dialling) return dial(act);
        if (is_open_) serve(act);
    }
  }

  /// What the server does.
  void serve(unsigned act) {
    const auto id = static_cast<std::uint16_t>(1 + script_.below(4));
    const auto reason = script_.flag() ? wire::ReasonCode::quota_exceeded : wire::ReasonCode{};
    switch (act) {
      case 15:
        return cut(reason == wire::ReasonCode{} ? "" : "cut");
      case 16:
        return server_.say_anything(script_.bytes());
      case 17:
        return server_.say(wire::Disconnect{reason, {}});
      case 18:
        return server_.acknowledge(wire::Puback{id, reason, {}});
      case 19:
        return server_.acknowledge(wire::Pubrec{id, reason, {}});
      case 20:
        return server_.acknowledge(wire::Pubcomp{id, reason, {}});
      case 21:
        return server_.release(id);
      case 22:
        return server_.say(wire::Pingresp{});
      case 23:
      case 24:
      case 25:
        return serve_message(id);
      default:
        return answer(reason);
    }
  }

  // What the application wants. A number for each message, a ticket for each
  // number.

  void publish() {
    const auto choice = script_.byte();
    const auto more = script_.byte();
    const auto qos = static_cast<QoS>((choice & 3U) % 3);
    wire::PropertyList properties;
    if ((choice & 16U) != 0) properties.add(PropertyId::message_expiry_interval, 2U);
    if ((choice & 32U) != 0) properties.add_user("name", "value");
    if ((choice & 64U) != 0) properties.add(PropertyId::response_topic, std::string_view("back"));
    const auto topic = script_.one_of(kTopics);
    const auto number = messages_.size();
    const auto payload = messages_.add(std::string(topic), (choice & 128U) != 0 ? kLongOut : more);
    const wire::Publish message{.qos = qos,
                                .retain = (choice & 4U) != 0,
                                .topic = topic,
                                .properties = properties.view(),
                                .payload = payload};
    const bool has_room = core_.has_room(qos);
    const auto ticket = core_.publish(message, now_);
    MQ_CHECK(ticket.has_value() == has_room);
    if (ticket) owner_.published(*ticket, number, qos);
  }

  void subscribe() {
    wire::Subscribe request;
    const auto count = 1 + script_.below(3);
    for (unsigned i = 0; i < count; ++i) {
      request.subscriptions.push_back({kFilters[i], {.qos = static_cast<QoS>(i)}});
    }
    note_request(core_.subscribe(request, now_));
  }

  void unsubscribe() {
    wire::Unsubscribe request;
    const auto count = 1 + script_.below(3);
    for (unsigned i = 0; i < count; ++i) request.filters.push_back(kFilters[i]);
    note_request(core_.unsubscribe(request, now_));
  }

  void note_request(std::optional<client::Ticket> ticket) {
    MQ_CHECK(!ticket || core_.is_connected());
    if (ticket) owner_.requested(*ticket);
  }

  // What the server says.

  void answer(wire::ReasonCode reason) {
    const auto choice = script_.byte();
    if (server_.is_asked()) return accept(choice);
    const auto& window = server_.window();
    const auto& requests = server_.requests();
    if (!requests.empty() && (window.empty() || (choice & 1U) != 0)) {
      return answer(requests.begin()->first, requests.begin()->second, choice);
    }
    if (window.empty()) return server_.say(wire::Pingresp{});
    const auto open = window.any(choice >> 1U);
    if (open.is_released) {
      server_.acknowledge(wire::Pubcomp{open.packet_id, {}, {}});
    } else if (open.qos == QoS::exactly_once) {
      server_.acknowledge(wire::Pubrec{open.packet_id, reason, {}});
    } else {
      server_.acknowledge(wire::Puback{open.packet_id, reason, {}});
    }
  }

  void answer(std::uint16_t id, Server::Request request, unsigned choice) {
    const std::size_t count = (choice & 128U) != 0 ? request.filters + 1 : request.filters;
    const std::vector<Byte> codes(count);
    if (request.answer == wire::PacketType::suback) {
      server_.answer(wire::Suback{id, {}, codes});
    } else {
      server_.answer(wire::Unsuback{id, {}, codes});
    }
  }

  void accept(unsigned choice) {
    const bool is_v5 = settings_.version == Version::v5;
    if ((choice & 15U) == 15) {
      const auto reason =
          (choice & 16U) != 0 ? wire::ReasonCode::server_busy : wire::ReasonCode::not_authorized;
      const auto code = is_v5 ? static_cast<std::uint8_t>(reason)
                              : static_cast<std::uint8_t>(3 + (choice >> 4U) % 3);
      return server_.say(wire::Connack{false, code, {}});
    }
    wire::PropertyList properties;
    auto limits = drawn_limits(properties);
    if (!is_v5) limits = {};
    if (settings_.in_flight_max) {
      limits.receive_maximum =
          std::min<std::size_t>(limits.receive_maximum, *settings_.in_flight_max);
    }
    const bool is_present = settings_.version != Version::v31 && (choice & 16U) != 0 &&
                            (!server_.is_clean() || (choice & 32U) != 0);
    server_.accept(is_present, limits, properties.view());
  }

  Server::Limits drawn_limits(wire::PropertyList& properties) {
    constexpr std::array<std::uint32_t, 4> kSizes{0, 12, 40, 300};
    const auto bits = script_.byte();
    Server::Limits limits;
    if ((bits & 1U) != 0) {
      limits.receive_maximum = 2;
      properties.add(PropertyId::receive_maximum, 2U);
    }
    if ((bits & 2U) != 0) {
      limits.maximum_qos = static_cast<QoS>(bits >> 7U);
      properties.add(PropertyId::maximum_qos, bits >> 7U);
    }
    if ((bits & 4U) != 0) {
      limits.retain_available = false;
      properties.add(PropertyId::retain_available, 0U);
    }
    if ((bits & 8U) != 0) {
      limits.topic_alias_maximum = 2;
      properties.add(PropertyId::topic_alias_maximum, 2U);
    }
    if (const auto size = kSizes[bits >> 4U & 3U]; size > 0) {
      limits.maximum_packet_size = size;
      properties.add(PropertyId::maximum_packet_size, size);
    }
    if ((bits & 64U) != 0) properties.add(PropertyId::server_keep_alive, 2U);
    if (settings_.client_id.empty()) {
      properties.add(PropertyId::assigned_client_identifier, std::string_view("you"));
    }
    return limits;
  }

  void serve_message(std::uint16_t id) {
    const auto choice = script_.byte();
    const auto qos = static_cast<QoS>((choice & 3U) % 3);
    wire::PropertyList properties;
    const bool has_alias = (choice & 4U) != 0 && settings_.version == Version::v5;
    if (has_alias) properties.add(PropertyId::topic_alias, 1 + script_.below(3));
    const bool is_short = has_alias && (choice & 8U) != 0;
    const wire::Publish message{.qos = qos,
                                .dup = qos != QoS::at_most_once && (choice & 16U) != 0,
                                .retain = (choice & 32U) != 0,
                                .topic = is_short ? std::string_view() : script_.one_of(kTopics),
                                .packet_id = qos == QoS::at_most_once ? std::uint16_t{0} : id,
                                .properties = properties.view()};
    server_.publish(message, (choice & 128U) != 0 ? kLongIn : script_.byte());
  }

  // What a driver does.

  void dial(unsigned act) {
    if (act == 15) return core_.on_open_failed("no", now_);
    is_open_ = true;
    server_.on_open();
    core_.on_open(now_);
  }

  void cut(std::string_view words) {
    is_open_ = false;
    core_.on_close(words, now_);
  }

  void take_events() {
    while (const auto event = core_.next_event(now_)) owner_.hear(*event);
    MQ_CHECK(core_.unsettled() == owner_.unsettled());
    follow_wish();
  }

  void follow_wish() {
    if (core_.transport() == Transport::none) is_open_ = false;
  }

  void advance() {
    now_.steady += Millis(script_.two_bytes());
    core_.on_deadline(now_);
  }

  void settle() {
    take_events();
    read();
    write();
    for (int often = 0; core_.next_deadline() <= now_.steady; ++often) {
      MQ_CHECK(often < kOften);
      core_.on_deadline(now_);
      take_events();
      write();
    }
  }

  /// What was handed over stays where it is until there are no more events.
  void read() {
    for (int i = 0; i < 4 && is_open_ && !server_.said.empty(); ++i) {
      auto& said = server_.said;
      const auto tail = core_.tail();
      auto size = read_size_ == 0 ? said.size() : std::min(read_size_, said.size());
      if (!tail.empty()) size = std::min(size, tail.size());
      const auto end = said.begin() + static_cast<std::ptrdiff_t>(size);
      const std::vector<Byte> part(said.begin(), end);
      said.erase(said.begin(), end);
      if (tail.empty()) {
        core_.on_bytes(part, now_);
      } else {
        std::ranges::copy(part, tail.begin());
        core_.on_tail(size, now_);
      }
      take_events();
    }
  }

  void write() {
    std::array<ByteView, 4> pieces;
    while (is_open_ && room_ > 0 && core_.has_output()) {
      const auto count = core_.gather(pieces);
      std::size_t size = 0;
      for (std::size_t i = 0; i < count && size < room_; ++i) {
        const auto part = pieces[i].first(std::min(pieces[i].size(), room_ - size));
        server_.hear(part);
        size += part.size();
      }
      if (room_ != SIZE_MAX) room_ -= size;
      core_.on_sent(size, now_);
      take_events();
    }
  }

  Script& script_;
  client::Settings settings_;
  Now now_{};
  client::Core core_;
  Numbered messages_;  ///< that the client has published
  Server server_;
  Owner owner_;
  std::size_t read_size_ = 0;    ///< so much is read at once; 0: all
  std::size_t takes_ = 0;        ///< so much does the transport take in a step; 0: all
  std::size_t room_ = SIZE_MAX;  ///< what is left of that
  bool is_open_ = false;
};

}  // namespace

}  // namespace mq

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  mq::fuzz::Script script({data, size});
  mq::Play(script).run();
  return 0;
}
