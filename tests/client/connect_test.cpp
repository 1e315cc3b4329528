#include <doctest/doctest.h>

#include "support/conversation.hpp"

using namespace mq;
using namespace mq::support;
using client::Retry;
using client::Settings;
using client::Transport;
using wire::Connack;
using wire::Connect;
using wire::PropertyId;
using wire::PropertyList;
using wire::QoS;
using wire::Version;

namespace {

Settings with_version(Version version) {
  Settings settings;
  settings.version = version;
  return settings;
}

constexpr Connack kYes{};

}  // namespace

TEST_CASE("CONNECT is the first packet, and nothing else goes out before CONNACK [MQTT-3.1.0-1]") {
  Conversation talk;
  talk.open();
  CHECK(talk.sent() == "CONNECT '' v4 k=60 clean");
  CHECK(talk.core.publish({.topic = "a", .properties = {}, .payload = {}}, talk.now) ==
        std::nullopt);
  talk.publish("a", "kept", QoS::at_least_once);
  CHECK(talk.sent() == "");
  CHECK(talk.reply(kYes) == "connected");
  CHECK(talk.sent() == "PUBLISH a q1 id=1 'kept'");
}

TEST_CASE("CONNECT says in every version what the settings say") {
  for (const auto version : {Version::v31, Version::v311, Version::v5}) {
    Settings settings = with_version(version);
    settings.client_id = "me";
    settings.clean_start = false;
    settings.keep_alive = 30;
    settings.user_name = "user";
    settings.password = "secret";
    settings.will = client::Will{.topic = "w",
                                 .payload = "gone",
                                 .qos = QoS::at_least_once,
                                 .retain = true,
                                 .properties = {}};
    Conversation talk(settings);
    talk.open();
    CHECK(talk.sent() == "CONNECT 'me' v" + std::to_string(static_cast<int>(version)) +
                             " k=30 user=user password=secret will=w q1 retain 'gone'");
  }
}

TEST_CASE("a second CONNACK is a protocol error") {
  Conversation talk(v5());
  talk.join();
  CHECK(talk.reply(kYes) == "");
  CHECK(talk.sent() == "DISCONNECT 82");
  CHECK(talk.core.transport() == Transport::drain);
  CHECK(talk.cut() == "lost violation 130 for good");
}

TEST_CASE("any packet before CONNACK is a protocol error") {
  Conversation talk(v5());
  talk.open().sent();
  CHECK(talk.reply(wire::Pingresp{}) == "");
  CHECK(talk.sent() == "DISCONNECT 82");
  Conversation old;
  old.open().sent();
  CHECK(old.reply(wire::Pingresp{}) == "lost violation 130 for good");
  CHECK(old.core.transport() == Transport::none);
}

TEST_CASE("a session after a clean start is a protocol error [MQTT-3.2.2-4]") {
  Conversation talk(v5());
  talk.open().sent();
  CHECK(talk.reply(Connack{.session_present = true, .properties = {}}) == "");
  CHECK(talk.sent() == "DISCONNECT 82");
}

TEST_CASE("a refusal ends the attempt with its code; only a passing one is tried again") {
  Settings settings = with_version(Version::v311);
  settings.retry = Retry::always;
  for (const int code : {1, 2, 4, 5}) {
    Conversation talk(settings);
    talk.open();
    CHECK(talk.reply(Connack{.code = static_cast<Byte>(code), .properties = {}}) ==
          "refused " + std::to_string(code) + " for good");
    CHECK(talk.core.transport() == Transport::none);
  }
  Conversation talk(settings);
  talk.open();
  CHECK(talk.reply(Connack{.code = 3, .properties = {}}) == "refused 3");
  CHECK(talk.core.next_deadline() != kNever);
}

TEST_CASE("v5 refusals that may pass are those of a server in trouble") {
  Settings settings = v5();
  settings.retry = Retry::always;
  for (const auto& [code, words] : {std::pair{0x88, "refused 136"},
                                    {0x89, "refused 137"},
                                    {0x97, "refused 151"},
                                    {0x9F, "refused 159"},
                                    {0x86, "refused 134 for good"},
                                    {0x87, "refused 135 for good"},
                                    {0x9C, "refused 156 for good"}}) {
    Conversation talk(settings);
    talk.open();
    CHECK(talk.reply(Connack{.code = static_cast<Byte>(code), .properties = {}}) == words);
  }
}

TEST_CASE("no answer within the connect timeout ends the attempt") {
  Conversation talk;
  talk.core.connect(talk.now);
  CHECK(talk.advance(Millis(29'999)) == "");
  CHECK(talk.advance(Millis(1)) == "lost timed out for good");
  CHECK(talk.core.transport() == Transport::none);
  Conversation mute;
  mute.open();
  CHECK(mute.advance(Seconds(30)) == "lost timed out for good");
}

TEST_CASE("a transport that cannot be had is told in the driver's words") {
  Conversation talk;
  talk.core.connect(talk.now);
  talk.core.on_open_failed("nobody there", talk.now);
  const auto event = talk.core.next_event(talk.now);
  REQUIRE(event);
  const auto* lost = std::get_if<client::Lost>(&*event);
  REQUIRE(lost != nullptr);
  CHECK(lost->words == "nobody there");
  CHECK_FALSE(lost->was_connected);
  CHECK(lost->retry_at == kNever);
}

TEST_CASE("the first failure is final unless every failure is to be retried") {
  for (const auto& [retry, words] : {std::pair{Retry::never, "lost unreachable for good"},
                                     {Retry::after_loss, "lost unreachable for good"},
                                     {Retry::always, "lost unreachable"}}) {
    Settings settings;
    settings.retry = retry;
    Conversation talk(settings);
    talk.core.connect(talk.now);
    talk.core.on_open_failed("", talk.now);
    CHECK(talk.events() == words);
  }
}

TEST_CASE("after a loss the next attempt follows within the back-off, which doubles to a limit") {
  Conversation talk;
  talk.join();
  CHECK(talk.cut() == "lost closed");
  Millis longest(1000);
  for (int attempt = 0; attempt < 12; ++attempt) {
    CHECK(talk.core.transport() == Transport::none);
    const Millis wait = talk.core.next_deadline() - talk.now.steady;
    CHECK(wait >= longest / 2);
    CHECK(wait <= longest);
    CHECK(talk.advance(wait) == "");
    CHECK(talk.core.transport() == Transport::open);
    talk.core.on_open_failed("", talk.now);
    CHECK(talk.events() == "lost unreachable");
    longest = std::min(longest * 2, Millis(60'000));
  }
}

TEST_CASE("a connection that lasted lets the back-off begin anew, a short one does not") {
  Conversation talk;
  talk.join();
  talk.come_back(kYes);
  talk.cut();
  CHECK(talk.core.next_deadline() - talk.now.steady >= Millis(1000));
  Conversation steady;
  steady.join();
  steady.come_back(kYes);
  steady.now.steady += Seconds(31);
  steady.cut();
  CHECK(steady.core.next_deadline() - steady.now.steady <= Millis(1000));
}

TEST_CASE(
    "a v5 client with a session that outlives the connection resumes it [MQTT-3.1.2-23] "
    "[MQTT-3.1.3-2]") {
  PropertyList properties;
  properties.add(PropertyId::session_expiry_interval, 60);
  Conversation talk(v5(properties));
  talk.open();
  CHECK(talk.sent() == "CONNECT '' v5 k=60 clean {session-expiry-interval=60}");
  PropertyList assigned;
  assigned.add(PropertyId::assigned_client_identifier, "auto-1");
  CHECK(talk.reply(Connack{.properties = assigned.view()}) == "connected");
  CHECK(talk.core.client_id() == "auto-1");
  talk.cut();
  talk.advance(Seconds(1));
  talk.core.on_open(talk.now);
  CHECK(talk.sent() == "CONNECT 'auto-1' v5 k=60 {session-expiry-interval=60}");
  CHECK(talk.reply(Connack{.session_present = true, .properties = {}}) ==
        "connected again present");
}

TEST_CASE("MQTT 3: a session for the run is cleared before and after it, and resumed in between") {
  Settings settings;
  settings.client_id = "me";
  settings.clean_start = false;
  settings.clearing = client::Clearing::before_and_after;
  Conversation talk(settings);
  talk.open();
  CHECK(talk.sent() == "CONNECT 'me' v4 k=60 clean");
  CHECK(talk.reply(kYes) == "");
  CHECK(talk.sent() == "DISCONNECT");
  CHECK(talk.core.transport() == Transport::drain);
  CHECK(talk.cut("") == "");

  CHECK(talk.core.transport() == Transport::open);
  talk.core.on_open(talk.now);
  CHECK(talk.sent() == "CONNECT 'me' v4 k=60");
  CHECK(talk.reply(kYes) == "connected");
  talk.publish("a", "once", QoS::exactly_once);
  CHECK(talk.sent() == "PUBLISH a q2 id=1 'once'");
  talk.come_back(Connack{.session_present = true});
  CHECK(talk.sent() == "PUBLISH a q2 id=1 dup 'once'");

  talk.core.disconnect(wire::ReasonCode::normal_disconnection, talk.now);
  CHECK(talk.sent() == "DISCONNECT");
  CHECK(talk.cut("") == "");
  talk.core.on_open(talk.now);
  CHECK(talk.sent() == "CONNECT 'me' v4 k=60 clean");
  CHECK(talk.reply(kYes) == "");
  CHECK(talk.sent() == "DISCONNECT");
  CHECK(talk.cut("") == "ended");
}

TEST_CASE("a session that cannot be cleared after the run is left, and the run has ended well") {
  Settings settings;
  settings.client_id = "me";
  settings.clean_start = false;
  settings.clearing = client::Clearing::after;
  for (const bool is_refused : {false, true}) {
    Conversation talk(settings);
    talk.open();
    CHECK(talk.sent() == "CONNECT 'me' v4 k=60");
    talk.reply(kYes);
    talk.core.disconnect(wire::ReasonCode::normal_disconnection, talk.now);
    talk.sent();
    talk.cut("");
    if (is_refused) {
      talk.core.on_open(talk.now);
      CHECK(talk.reply(Connack{.code = 3}) == "ended");
    } else {
      talk.core.on_open_failed("refused", talk.now);
      CHECK(talk.events() == "ended");
    }
    CHECK(talk.core.transport() == Transport::none);
  }
}

TEST_CASE("MQTT 3.1, whose server cannot say it, takes an uncleared session for resumed") {
  Settings settings = with_version(Version::v31);
  settings.client_id = "me";
  settings.clean_start = false;
  Conversation talk(settings);
  talk.join();
  talk.publish("a", "once", QoS::exactly_once);
  talk.sent();
  talk.come_back(kYes);
  CHECK(talk.sent() == "PUBLISH a q2 id=1 dup 'once'");
}

TEST_CASE(
    "disconnect says goodbye behind everything else and waits for the server to close "
    "[MQTT-3.14.4-2]") {
  Conversation talk(v5());
  talk.join();
  talk.publish("a", "last words", QoS::at_most_once);
  talk.core.disconnect(wire::ReasonCode::disconnect_with_will, talk.now);
  CHECK(talk.core.transport() == Transport::drain);
  CHECK(talk.sent() == "PUBLISH a q0 'last words'; DISCONNECT 04");
  CHECK(talk.events() == "sent x1");
  CHECK(talk.reply(wire::Pingresp{}) == "");
  CHECK(talk.cut("") == "ended");
  CHECK(talk.core.transport() == Transport::none);
  CHECK(talk.core.next_deadline() == kNever);
}

TEST_CASE("disconnect without a connection ends at once") {
  Conversation talk;
  talk.core.connect(talk.now);
  talk.core.disconnect(wire::ReasonCode::normal_disconnection, talk.now);
  CHECK(talk.events() == "ended");
  CHECK(talk.core.transport() == Transport::none);
  Conversation waiting;
  waiting.join();
  waiting.cut();
  waiting.core.disconnect(wire::ReasonCode::normal_disconnection, waiting.now);
  CHECK(waiting.events() == "ended");
  CHECK(waiting.core.next_deadline() == kNever);
}

TEST_CASE("the server's DISCONNECT is told with its reason; a takeover is final") {
  Conversation talk(v5());
  talk.join();
  CHECK(talk.reply(wire::Disconnect{.reason = wire::ReasonCode::server_shutting_down,
                                    .properties = {}}) == "lost disconnected 139");
  CHECK(talk.core.transport() == Transport::none);
  Conversation other(v5());
  other.join();
  CHECK(other.reply(wire::Disconnect{.reason = wire::ReasonCode::session_taken_over,
                                     .properties = {}}) == "lost disconnected 142 for good");
}

TEST_CASE("AUTH that nobody asked for is a protocol error [MQTT-4.12.0-7] [MQTT-4.12.1-2]") {
  for (const bool is_early : {true, false}) {
    Conversation talk(v5());
    if (is_early) {
      talk.open().sent();
    } else {
      talk.join();
    }
    PropertyList properties;
    properties.add(PropertyId::authentication_method, "riddles");
    CHECK(talk.reply(wire::Auth{.reason = wire::ReasonCode::continue_authentication,
                                .properties = properties.view()}) == "");
    CHECK(talk.sent() == "DISCONNECT 82");
    CHECK(talk.core.transport() == Transport::drain);
  }
}

TEST_CASE("packets that only clients send are a protocol error") {
  Conversation talk(v5());
  talk.join();
  CHECK(talk.reply(wire::Pingreq{}) == "");
  CHECK(talk.sent() == "DISCONNECT 82");
}

TEST_CASE("a malformed packet is answered with its reason [MQTT-4.13.2-1] [MQTT3-4.8.0-1]") {
  Conversation talk(v5());
  talk.join();
  constexpr std::array<Byte, 2> kReserved{0x00, 0x00};
  CHECK(talk.reply_bytes(kReserved) == "");
  CHECK(talk.sent() == "DISCONNECT 81");
  CHECK(talk.core.transport() == Transport::drain);
  CHECK(talk.cut() == "lost violation 129 for good");
}

TEST_CASE("a packet above our maximum packet size is refused before it is there") {
  PropertyList properties;
  properties.add(PropertyId::maximum_packet_size, 100);
  Conversation talk(v5(properties));
  talk.join();
  constexpr std::array<Byte, 5> kLarge{0x30, 0xFF, 0xFF, 0xFF, 0x7F};
  CHECK(talk.reply_bytes(kLarge) == "");
  CHECK(talk.sent() == "DISCONNECT 95");
}
