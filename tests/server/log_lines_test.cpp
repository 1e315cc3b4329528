#include "server/log_lines.hpp"

#include <doctest/doctest.h>

#include "wire/faults.hpp"

using namespace mq;
using namespace mq::server;
using namespace mq::broker::fact;
using mq::broker::Drop;

namespace {

constexpr std::string_view kPeer = "127.0.0.1:53466";

Connected bond() {
  return {.connection = {},
          .client_id = "james bond",
          .user_name = "",
          .version = wire::Version::v311,
          .clean_start = true,
          .session_present = false,
          .keep_alive = 60};
}

constexpr wire::Fault kNormal{wire::ReasonCode::normal_disconnection, "", ""};

std::string ending(End end, wire::Fault fault = kNormal, std::string client_id = "X") {
  return line_of(Ended{{}, std::move(client_id), end, fault}, kPeer);
}

}  // namespace

TEST_CASE("a new connection, and where it came in") {
  CHECK(opened_line(kPeer, "port 1883") == "New connection from 127.0.0.1:53466 on port 1883.");
}

TEST_CASE("a client that came in: protocol, clean start, keep alive, user name") {
  CHECK(line_of(bond(), kPeer) ==
        "New client connected from 127.0.0.1:53466 as \"james bond\" (p2, c1, k60).");
  Connected five = bond();
  five.version = wire::Version::v5;
  five.clean_start = false;
  five.keep_alive = 0;
  five.user_name = "m";
  CHECK(line_of(five, kPeer) ==
        "New client connected from 127.0.0.1:53466 as \"james bond\" (p5, c0, k0, u'm').");
  Connected old = bond();
  old.version = wire::Version::v31;
  CHECK(line_of(old, kPeer) ==
        "New client connected from 127.0.0.1:53466 as \"james bond\" (p1, c1, k60).");
}

TEST_CASE("a refusal says why, by which statement, and which option decides it") {
  const wire::Fault fault{wire::ReasonCode::not_authorized, "",
                          "allow_anonymous is false and no user is known"};
  CHECK(line_of(Refused{{}, "spy", fault}, kPeer) ==
        "Client from 127.0.0.1:53466 as spy refused: Not authorized: allow_anonymous is false and "
        "no user is known.");
  CHECK(line_of(Refused{{}, "", wire::fault::kProtocolVersion}, kPeer) ==
        "Client from 127.0.0.1:53466 refused: Unsupported Protocol Version: unknown protocol "
        "version [MQTT-3.1.2-2].");
}

TEST_CASE("a refusal names the user, and is the last word about its connection") {
  const Refused refused{{}, "spy", {wire::ReasonCode::not_authorized, "", "no"}, "alice"};
  CHECK(
      line_of(refused, "127.0.0.1:53466 on port 1883") ==
      "Client from 127.0.0.1:53466 on port 1883 as spy (user alice) refused: Not authorized: no.");
  CHECK(is_told_already(Ended{{}, "spy", End::refused, kNormal}));
  CHECK_FALSE(is_told_already(Ended{{}, "spy", End::closed, kNormal}));
  CHECK_FALSE(is_told_already(refused));
}

TEST_CASE("a client that left: by DISCONNECT, by silence, by its socket, for another") {
  CHECK(ending(End::disconnected) == "Client X disconnected.");
  CHECK(ending(End::disconnected, {wire::ReasonCode::disconnect_with_will, "", ""}) ==
        "Client X disconnected: Disconnect with Will Message.");
  CHECK(ending(End::closed) == "Client X closed its connection.");
  CHECK(ending(End::timed_out) == "Client X has exceeded timeout, disconnecting.");
  CHECK(ending(End::taken_over) == "Client X disconnected: session taken over.");
  CHECK(ending(End::shutting_down) == "Client X disconnected: the broker is shutting down.");
  CHECK(ending(End::refused) == "Client X disconnected: refused.");
}

TEST_CASE("a broken rule is named by reason, words and statement") {
  CHECK(ending(End::fault, wire::fault::kQos) ==
        "Client X disconnected: Malformed Packet: QoS 3 [MQTT-3.3.1-4].");
}

TEST_CASE("a packet above the limit names the option that sets it") {
  CHECK(ending(End::fault, wire::fault::kTooLarge) ==
        "Client X disconnected: Packet too large: packet larger than allowed (see "
        "max_packet_size).");
}

TEST_CASE("before CONNECT a client is known by its address, if at all") {
  CHECK(ending(End::no_connect, kNormal, "") ==
        "Client at 127.0.0.1:53466 sent no CONNECT in time (see connect_timeout), disconnecting.");
  CHECK(line_of(Ended{{}, "", End::closed, {}}, "") == "Client <unknown> closed its connection.");
}

TEST_CASE("subscriptions are a line of id, QoS and filter") {
  CHECK(line_of(Subscribed{"X", "test/#", wire::QoS::at_least_once}, "") == "X 1 test/#");
  CHECK(line_of(Unsubscribed{"X", "test/#"}, "") == "X test/#");
}

TEST_CASE("dropped messages name the client and the option that would change it") {
  CHECK(line_of(Dropped{"X", Drop::queue_full, 1}, "") ==
        "Dropped a message for client X: its queue is full (max_queued_messages, max_queued_bytes, "
        "queue_policy).");
  CHECK(line_of(Dropped{"X", Drop::unread, 7}, "") ==
        "Dropped 7 messages for client X: it reads too slowly (max_unread_bytes, "
        "global_max_unread_bytes, memory_limit).");
}

TEST_CASE("names from clients can neither end the line nor speak to the terminal") {
  Connected evil = bond();
  evil.client_id = "a\n1795470328: Client root\x1b[2J";
  evil.user_name = "\r";
  CHECK(line_of(evil, kPeer) ==
        "New client connected from 127.0.0.1:53466 as \"a\\x0a1795470328: Client root\\x1b[2J\" "
        "(p2, c1, k60, u'\\x0d').");
  CHECK(ending(End::closed, kNormal, "\n") == "Client \\x0a closed its connection.");
  CHECK(line_of(Refused{{}, "\n", {}}, kPeer).find('\n') == std::string::npos);
  CHECK(line_of(Subscribed{"\n", "\n", {}}, "").find('\n') == std::string::npos);
  CHECK(line_of(Unsubscribed{"\n", "\n"}, "").find('\n') == std::string::npos);
  CHECK(line_of(Dropped{"\n", Drop::memory, 2}, "").find('\n') == std::string::npos);
  CHECK(line_of(Subscribed{std::string(60'000, 'x'), "t", {}}, "").size() < 300);
}

TEST_CASE("names from clients cannot say what a sentence does not: they are words, or quoted") {
  const std::string lie = "from 10.9.9.9:5 on port 1883 as root refused: Not authorized. x";
  const std::string shown = "\"" + lie + "\"";
  Connected connected = bond();
  connected.client_id = lie;
  connected.user_name = lie;
  CHECK(line_of(connected, kPeer) == "New client connected from 127.0.0.1:53466 as " + shown +
                                         " (p2, c1, k60, u'" + shown + "').");
  CHECK(line_of(Refused{{}, lie, {wire::ReasonCode::not_authorized, "", "no"}, lie}, kPeer) ==
        "Client from 127.0.0.1:53466 as " + shown + " (user " + shown +
            ") refused: Not authorized: no.");
  CHECK(ending(End::closed, kNormal, lie) == "Client " + shown + " closed its connection.");
  CHECK(line_of(Unread{{}, lie, 1}, "").starts_with("Client " + shown + " had sent 1 bytes"));
  CHECK(line_of(Subscribed{lie, lie, {}}, "") == shown + " 0 " + shown);
  CHECK(line_of(Unsubscribed{lie, lie}, "") == shown + " " + shown);
  CHECK(line_of(Dropped{lie, Drop::expired, 1}, "") ==
        "Dropped a message for client " + shown + ": the message expired.");
  CHECK(line_of(Denied{{}, lie, lie, Act::publish, lie, "acl", 1, 0}, "") ==
        "Denied: client " + shown + " (user " + shown + ") may not publish to " + shown +
            ": acl:1.");
}

TEST_CASE("log_type decides by what happened") {
  CHECK(type_of(bond()) == LogType::notice);
  CHECK(type_of(Refused{}) == LogType::notice);
  CHECK(type_of(Subscribed{}) == LogType::subscribe);
  CHECK(type_of(Unsubscribed{}) == LogType::unsubscribe);
  CHECK(type_of(Dropped{}) == LogType::warning);
  CHECK(type_of(Ended{{}, "X", End::closed, {}}) == LogType::notice);
  CHECK(type_of(Ended{{}, "X", End::shutting_down, {}}) == LogType::debug);
}

TEST_CASE("connection_messages decides about coming and going, not about what went wrong") {
  CHECK(tells_connection(bond()));
  CHECK(tells_connection(Ended{{}, "X", End::closed, {}}));
  CHECK_FALSE(tells_connection(Ended{{}, "X", End::fault, wire::fault::kQos}));
  CHECK_FALSE(tells_connection(Refused{}));
  CHECK_FALSE(tells_connection(Dropped{}));
}

TEST_CASE("a denial names user, client, topic and rule") {
  Denied denied{{}, "id", "bob", Act::publish, "a/b", "/etc/acl", 12, 0};
  CHECK(line_of(denied, "") == "Denied: client id (user bob) may not publish to a/b: /etc/acl:12.");
  denied.user_name.clear();
  denied.line = 0;
  denied.untold = 7;
  denied.act = Act::subscribe;
  CHECK(line_of(denied, "") ==
        "Denied: client id (anonymous) may not subscribe to a/b: no rule of /etc/acl allows it, "
        "and 7 more before it.");
  CHECK(type_of(denied) == LogType::notice);
  denied.act = Act::read;
  CHECK(type_of(denied) == LogType::debug);
}
