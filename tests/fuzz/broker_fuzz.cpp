#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "broker/core.hpp"
#include "broker_client.hpp"
#include "broker_driver.hpp"
#include "broker_setup.hpp"
#include "script.hpp"
#include "wire/encode.hpp"

// The input is a script: who connects through which listener, what they send, well-formed or not,
// how little of it is read at a time, when they leave, how time passes, what the operator changes,
// when the disk keeps up and when the broker crashes. Whatever it says, no rule of the broker's own
// is broken, and what it sends is what broker_client.hpp lets pass.

namespace mq {

namespace {

using fuzz::Client;
using fuzz::Connection;
using fuzz::Script;
using wire::PropertyId;
using wire::QoS;
using wire::Version;

constexpr std::string_view kNames[] = {"a", "b", "c", ""};
constexpr std::string_view kTopics[] = {"t", "t/1", "t/2",   "$SYS/x", "u",
                                        "",  "m/t", "t/1/2", "m/t/1",  "m/t/2"};
constexpr std::string_view kFilters[] = {"t",   "t/+",          "#",  "t/#",    "$share/g/t/+",
                                         "+/1", "$share/g/t/#", "a#", "$SYS/#", "m/#",
                                         "u",   "$share/g/m/#"};
constexpr Version kVersions[] = {Version::v31, Version::v311, Version::v5, Version::v5};

/// As a name, with the end of it: the longest that there are.
constexpr std::size_t kLongest = 65'535;
/// Of a payload: its rest is read straight into the message.
constexpr std::size_t kLong = 90'000;
class Play {
 public:
  explicit Play(Script& script) : script_(script), driver_(fuzz::drawn_config(script)) {}

  void run() {
    for (int i = 0; i < 200 && !script_.is_over(); ++i) {
      step();
      driver_.settle();
    }
    const auto& core = driver_.core();
    MQ_CHECK(core.subscriptions().size() == core.subscription_count());
  }

 private:
  // The script.

  void step() {
    for (auto& connection : driver_.connections()) {
      connection->room = connection->takes == 0 ? SIZE_MAX : connection->takes;
    }
    const auto act = script_.below(32);
    switch (act) {
      case 0:
        return open();
      case 1:
        return driver_.advance(Millis(script_.two_bytes()));
      case 2:
        return driver_.crash();
      case 3:
        return driver_.stop_storing_or_go_on();
      case 4:
        return driver_.trouble(script_.flag());
      case 5:
        return use_rules();
      case 6:
        return use_config();
      case 7:
        return expel();
      case 8:
        return driver_.restart();
      case 9:
        return answer_verification();
      case 10:
        return tell();
      default:
        break;
    }
    Connection* connection = pick();
    if (connection == nullptr) return open();
    act_of(*connection, act);
  }

  void act_of(Connection& connection, unsigned act) {
    switch (act) {
      case 11:
        return leave(connection);
      case 12:
        connection.is_reading = !connection.is_reading;
        return;
      case 13:
        connection.takes = script_.byte();
        return;
      case 14:
        connection.read_size = script_.byte() * std::size_t{script_.flag() ? 1U : 64U};
        return;
      case 15:
        return say_anything(connection, script_.bytes());
      case 16:
        return disconnect(connection);
      case 17:
        return acknowledge_anything(connection);
      case 18:
        return send(connection, wire::Pubrel{packet_id(), {}, {}});
      case 19:
        return send(connection, wire::Unsubscribe{packet_id(), {}, {script_.one_of(kFilters)}});
      case 20:
        return send(connection, wire::Pingreq{});
      case 21:
      case 22:
      case 23:
        return subscribe(connection);
      case 24:
      case 25:
      case 26:
        return acknowledge(connection);
      default:
        return publish(connection);
    }
  }

  Connection* pick() {
    if (driver_.connections().empty()) return nullptr;
    auto& connection =
        *driver_.connections()[script_.below(static_cast<unsigned>(driver_.connections().size()))];
    return connection.has_left ? nullptr : &connection;
  }

  std::uint16_t packet_id() { return static_cast<std::uint16_t>(1 + script_.below(4)); }

  // What clients do.

  void open() {
    if (driver_.connections().size() >= 8) return;
    const auto choice = script_.byte();
    auto& connection = driver_.open(choice & 1U);
    connection.is_filtered = (choice & 2U) != 0;
    connection.is_proved = (choice & 12U) == 12;
    if (connection.is_proved) driver_.core().on_proved(connection.id, "carol");
    if ((choice & 240U) != 240) return connect(connection);
    // A stranger: nobody knows what it says, be it in somebody's name.
    for (auto& [_, memory] : book_.memories) memory.is_unsure = true;
    has_strangers_ = true;
    admit(connection, {}, nullptr);
    say_anything(connection, script_.bytes());
  }

  void connect(Connection& connection) {
    const auto version = script_.one_of(kVersions);
    const bool is_v5 = version == Version::v5;
    const bool is_mounted = connection.listener == 1;
    const auto flags = script_.byte();
    const auto more = script_.byte();
    std::string name((flags & 128U) != 0 ? std::string(kLongest - script_.below(16), 'x')
                                         : std::string(script_.one_of(kNames)));
    wire::Connect connect{.version = version,
                          .clean_start = (flags & 16U) != 0,
                          .keep_alive = static_cast<std::uint16_t>((more & 3U) * 5),
                          .client_id = name};
    if ((more & 4U) != 0) connect.user_name = script_.one_of(fuzz::kUsers);
    if ((more & 8U) != 0 && connect.user_name) connect.password = bytes_of("secret");
    if ((flags & 32U) != 0) connect.will = will();

    Client::Terms terms{.version = version, .clean_start = connect.clean_start};
    wire::PropertyList properties;
    if ((flags & 1U) != 0) properties.add(PropertyId::session_expiry_interval, 10U);
    if ((flags & 2U) != 0) properties.add(PropertyId::receive_maximum, 1U);
    if ((flags & 2U) != 0 && is_v5) terms.receive_maximum = 1;
    if ((flags & 4U) != 0) properties.add(PropertyId::topic_alias_maximum, 2U);
    if ((flags & 4U) != 0 && is_v5) terms.topic_alias_maximum = 2;
    if ((flags & 8U) != 0) properties.add(PropertyId::maximum_packet_size, 30U);
    if ((flags & 8U) != 0 && is_v5) terms.maximum_packet_size = 30;
    if ((flags & 64U) != 0) properties.add(PropertyId::request_response_information, 1U);
    connect.properties = properties.view();

    terms.user_name = connection.is_proved ? "carol" : connect.user_name.value_or("");
    terms.client_id = name;
    if (is_mounted && driver_.config().listeners[1].use_username_as_clientid) {
      terms.client_id = terms.user_name;
    }
    if (is_mounted) terms.mount = fuzz::kMount;
    terms.must_be_verified = is_mounted && connect.user_name && !connection.is_proved;
    const auto key =
        terms.client_id.empty() ? "assigned " + std::to_string(++assigned_ids_) : terms.client_id;
    auto& memory = book_.memories[key];
    memory.is_unsure = memory.is_unsure || has_strangers_;
    admit(connection, std::move(terms), &memory);
    send(connection, connect);
  }

  void admit(Connection& connection, Client::Terms terms, fuzz::Book::Memory* memory) {
    connection.client = std::make_unique<Client>(std::move(terms), book_, memory);
    connection.client->widen(limits());
    connection.client->obey(driver_.rules(connection.listener));
  }

  wire::Will will() {
    const auto choice = script_.byte();
    return {.topic = script_.one_of(kTopics),
            .payload = bytes_of("w"),
            .qos = static_cast<QoS>(choice % 3),
            .retain = (choice & 4U) != 0,
            .properties = (choice & 8U) != 0 ? will_delay_.view() : wire::Properties()};
  }

  void leave(Connection& connection) {
    if (script_.flag()) {
      driver_.core().on_close(connection.id, driver_.now());
    } else {
      driver_.core().on_broken(connection.id, "broken", driver_.now());
    }
    connection.has_left = true;
  }

  void disconnect(Connection& connection) {
    const auto choice = script_.byte();
    wire::PropertyList properties;
    if ((choice & 2U) != 0) {
      properties.add(PropertyId::session_expiry_interval, (choice & 4U) != 0 ? 20U : 0U);
    }
    const auto reason = (choice & 1U) != 0 ? wire::ReasonCode::disconnect_with_will
                                           : wire::ReasonCode::normal_disconnection;
    send(connection, wire::Disconnect{reason, properties.view()});
  }

  /// Nothing in it looks like a message with a number.
  void say_anything(Connection& connection, ByteView bytes) {
    connection.is_framed = false;
    connection.client->say_anything();
    std::ranges::replace_copy(bytes, std::back_inserter(connection.said), fuzz::Numbered::kStamp,
                              Byte{0});
  }

  template <class P>
  void send(Connection& connection, const P& packet) {
    wire::encode(packet, connection.client->version(), connection.said);
  }

  /// As a client does that has read everything.
  void acknowledge(Connection& connection) {
    const auto& window = connection.client->window();
    const auto choice = script_.byte();
    if (window.empty()) return;
    const auto open = window.any(choice);
    if (open.is_released) {
      answer(connection, wire::Pubcomp{open.packet_id, {}, {}});
    } else if (open.qos == QoS::exactly_once) {
      answer(connection, wire::Pubrec{open.packet_id, {}, {}});
    } else {
      answer(connection, wire::Puback{open.packet_id, {}, {}});
    }
  }

  void acknowledge_anything(Connection& connection) {
    const auto choice = script_.byte();
    const auto id = packet_id();
    const auto reason =
        (choice & 4U) != 0 ? wire::ReasonCode::quota_exceeded : wire::ReasonCode::success;
    // It may be for what is on its way.
    if (connection.client->window().find(id) == nullptr) connection.client->lose_count();
    if ((choice & 3U) == 0) return answer(connection, wire::Puback{id, reason, {}});
    if ((choice & 3U) == 1) return answer(connection, wire::Pubcomp{id, reason, {}});
    answer(connection, wire::Pubrec{id, reason, {}});
  }

  template <class P>
  void answer(Connection& connection, const P& packet) {
    connection.client->acknowledge(packet);
    send(connection, packet);
  }

  void subscribe(Connection& connection) {
    const auto index = script_.below(std::size(kFilters));
    const auto choice = script_.byte();
    const wire::SubscriptionOptions options{
        .qos = static_cast<QoS>((choice & 3U) % 3),
        .no_local = (choice & 4U) != 0,
        .retain_as_published = (choice & 8U) != 0,
        .retain_handling = static_cast<wire::RetainHandling>((choice >> 4U) % 3)};
    wire::PropertyList properties;
    if ((choice & 128U) != 0) properties.add(PropertyId::subscription_identifier, index + 1);
    connection.client->subscribe(kFilters[index]);
    send(connection, wire::Subscribe{packet_id(), properties.view(), {{kFilters[index], options}}});
  }

  void publish(Connection& connection) {
    const auto flags = script_.byte();
    const auto topic = script_.one_of(kTopics);
    const auto qos = static_cast<QoS>((flags & 3U) % 3);
    wire::PropertyList properties;
    if ((flags & 4U) != 0) properties.add(PropertyId::topic_alias, script_.below(4));
    if ((flags & 8U) != 0) properties.add(PropertyId::message_expiry_interval, 2U);
    std::vector<Byte> payload;
    const auto size = (flags & 128U) != 0 ? kLong : script_.byte();
    const bool is_numbered = connection.is_framed && !topic.empty() && size > 0;
    if (is_numbered) {
      const auto& mount = connection.client->terms().mount;
      payload = book_.messages.add(std::string(mount) + std::string(topic), size);
    }
    send(connection,
         wire::Publish{.qos = qos,
                       .dup = (flags & 16U) != 0 && qos != QoS::at_most_once,
                       .retain = (flags & 32U) != 0,
                       .topic = topic,
                       .packet_id = qos == QoS::at_most_once ? std::uint16_t{0} : packet_id(),
                       .properties = properties.view(),
                       .payload = payload});
  }

  // What the operator does, and whoever verifies passwords.

  void use_rules() {
    const auto choice = script_.byte();
    driver_.use_rules(choice & 1U, fuzz::rules_of(choice >> 1U));
  }

  /// What an open connection counts on stays as it is, and what the broker cannot change.
  void use_config() {
    auto config = fuzz::drawn_config(script_);
    config.persistence = driver_.config().persistence;
    config.queue_window = driver_.config().queue_window;
    config.listeners[1].use_username_as_clientid =
        driver_.config().listeners[1].use_username_as_clientid;
    driver_.use_config(std::move(config));
    for (auto& connection : driver_.connections()) connection->client->widen(limits());
  }

  Client::Limits limits() const {
    return {.messages = driver_.config().max_inflight_messages,
            .bytes = driver_.config().max_inflight_bytes == 0
                         ? SIZE_MAX
                         : driver_.config().max_inflight_bytes};
  }

  void expel() {
    const auto choice = script_.byte();
    const std::uint16_t listener = choice & 1U;
    const std::vector<std::string> users((choice & 2U) != 0 ? 2 : 1,
                                         std::string(fuzz::kUsers[(choice >> 2U) % 2]));
    driver_.core().expel(listener, users, driver_.now());
    driver_.turn();
    for (const auto& connection : driver_.connections()) {
      const bool is_meant = connection->listener == listener && !connection->is_proved &&
                            connection->client->terms().user_name == users.front();
      MQ_CHECK(connection->has_left || !is_meant || !connection->client->is_accepted());
    }
  }

  void answer_verification() {
    const auto choice = script_.byte();
    auto& waiting = driver_.verifications();
    if (waiting.empty()) return;
    const auto asked = waiting.begin() + choice % static_cast<std::ptrdiff_t>(waiting.size());
    const auto id = *asked;
    waiting.erase(asked);
    driver_.on_verified(id, choice >= 128 ? broker::Verdict::wrong : broker::Verdict::right);
  }

  void tell() {
    const auto choice = script_.below(4);
    if (choice == 0)
      return driver_.core().put_sys("state", script_.flag() ? "on" : "", driver_.now());
    if (choice == 1) return driver_.core().tell_sys("event", "now", driver_.now());
    driver_.core().on_heap(choice == 2 ? 2000 : 0);
  }

  Script& script_;
  fuzz::Book book_;
  fuzz::Driver driver_;
  wire::PropertyList will_delay_ = wire::PropertyList().add(PropertyId::will_delay_interval, 2U);
  unsigned assigned_ids_ = 0;
  bool has_strangers_ = false;
};

}  // namespace

}  // namespace mq

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  mq::fuzz::Script script({data, size});
  mq::Play(script).run();
  return 0;
}
