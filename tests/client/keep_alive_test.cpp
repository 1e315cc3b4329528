#include <doctest/doctest.h>

#include "support/conversation.hpp"

using namespace mq;
using namespace mq::support;
using wire::PropertyId;
using wire::PropertyList;
using wire::QoS;

TEST_CASE("a client that has sent nothing for the keep-alive time sends PINGREQ [MQTT-3.1.2-20]") {
  Conversation talk;
  talk.join();
  CHECK(talk.core.next_deadline() == talk.now.steady + Seconds(60));
  CHECK(talk.advance(Millis(59'999)) == "");
  CHECK(talk.sent() == "");
  CHECK(talk.advance(Millis(1)) == "");
  CHECK(talk.sent() == "PINGREQ");
  CHECK(talk.reply(wire::Pingresp{}) == "");
  CHECK(talk.core.next_deadline() == talk.now.steady + Seconds(60));
}

TEST_CASE("what is sent and received puts the ping off") {
  Conversation talk;
  talk.join();
  for (int i = 0; i < 10; ++i) {
    talk.publish("a", "x", QoS::at_least_once);
    talk.sent();
    talk.reply(wire::Puback{.packet_id = static_cast<std::uint16_t>(i + 1), .properties = {}});
    CHECK(talk.advance(Seconds(59)) == "");
    CHECK(talk.sent() == "");
  }
}

TEST_CASE("a client that hears nothing pings although it sends") {
  Conversation talk;
  talk.join();
  talk.advance(Seconds(30));
  talk.publish("a", "x", QoS::at_most_once);
  talk.sent();
  talk.advance(Seconds(30));
  CHECK(talk.sent() == "PINGREQ");
}

TEST_CASE("a server that answers no PINGREQ is given up") {
  Conversation talk;
  talk.join();
  talk.advance(Seconds(60));
  CHECK(talk.sent() == "PINGREQ");
  CHECK(talk.events() == "");
  CHECK(talk.advance(Millis(59'999)) == "");
  CHECK(talk.advance(Millis(1)) == "lost keep alive");
  CHECK(talk.core.transport() == client::Transport::none);
}

TEST_CASE("a server that sends something else than PINGRESP is alive") {
  Conversation talk;
  talk.join();
  talk.advance(Seconds(60));
  talk.sent();
  talk.advance(Seconds(30));
  talk.reply(wire::Publish{.topic = "a", .properties = {}, .payload = {}});
  CHECK(talk.advance(Seconds(59)) == "");
  CHECK(talk.advance(Seconds(1)) == "lost keep alive");
}

TEST_CASE("while PINGREQ is stuck behind other output, progress there is life") {
  Conversation talk;
  talk.join();
  talk.publish("a", std::string(1000, 'x'), QoS::at_most_once);
  talk.advance(Seconds(60));
  for (int i = 0; i < 5; ++i) {
    talk.core.on_sent(100, talk.now);
    CHECK(talk.advance(Seconds(59)) == "");
  }
  CHECK(talk.advance(Seconds(1)) == "dropped x1; lost keep alive");
}

TEST_CASE("the server's keep-alive replaces the client's [MQTT-3.1.2-21] [MQTT-3.2.2-21]") {
  PropertyList properties;
  properties.add(PropertyId::server_keep_alive, 7);
  Conversation talk(v5());
  talk.join(properties);
  talk.advance(Millis(6'999));
  CHECK(talk.sent() == "");
  talk.advance(Millis(1));
  CHECK(talk.sent() == "PINGREQ");
}

TEST_CASE("a keep-alive of 0 means no pings") {
  client::Settings settings;
  settings.keep_alive = 0;
  Conversation talk(settings);
  talk.join();
  CHECK(talk.core.next_deadline() == kNever);
}

TEST_CASE("what stays unacknowledged for the acknowledgement timeout is a loss") {
  client::Settings settings;
  settings.ack_timeout = Seconds(5);
  Conversation talk(settings);
  talk.join();
  CHECK(talk.advance(Seconds(10)) == "");
  talk.publish("a", "1", QoS::at_least_once);
  talk.publish("a", "2", QoS::at_least_once);
  talk.sent();
  CHECK(talk.advance(Seconds(4)) == "");
  CHECK(talk.reply(wire::Puback{.packet_id = 1, .properties = {}}) == "acknowledged 1");
  CHECK(talk.advance(Seconds(4)) == "");
  CHECK(talk.advance(Seconds(1)) == "lost unanswered");
}
