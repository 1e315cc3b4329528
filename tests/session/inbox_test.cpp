#include "session/inbox.hpp"

#include <doctest/doctest.h>

namespace mq::session {

TEST_CASE("a QoS 2 message is new until its id is under way [MQTT-4.3.3-10]") {
  Inbox inbox;
  CHECK_FALSE(inbox.repeat(7));
  inbox.put(7);
  CHECK(inbox.repeat(7));
  CHECK(inbox.size() == 1);
  CHECK(inbox.under_way() == 1);
}

TEST_CASE("an id that was released is new again [MQTT-4.3.3-12]") {
  Inbox inbox;
  inbox.put(7);
  CHECK(inbox.drop(7));
  CHECK_FALSE(inbox.drop(7));
  CHECK_FALSE(inbox.repeat(7));
}

TEST_CASE("any of several ids can be released") {
  Inbox inbox;
  for (const unsigned id : {5U, 3U, 65535U, 1U}) inbox.put(static_cast<std::uint16_t>(id));
  CHECK(inbox.drop(3));
  CHECK(inbox.size() == 3);
  CHECK(inbox.repeat(65535));
  inbox.clear();
  CHECK(inbox.size() == 0);
  CHECK(inbox.under_way() == 0);
  CHECK_FALSE(inbox.repeat(5));
}

TEST_CASE("what came in an earlier connection counts again when it comes again (MQTT 5.0 §4.9)") {
  Inbox inbox;
  inbox.put(1);
  inbox.put(2);
  CHECK(inbox.under_way() == 2);
  inbox.rewind();
  CHECK(inbox.under_way() == 0);
  inbox.put(3);
  CHECK(inbox.repeat(2));
  CHECK(inbox.repeat(2));
  CHECK(inbox.under_way() == 2);
  CHECK(inbox.drop(1));
  CHECK(inbox.under_way() == 2);
  CHECK(inbox.drop(2));
  CHECK(inbox.under_way() == 1);
}

TEST_CASE("an id that was stored is known, and not under way") {
  Inbox inbox;
  inbox.restore(9);
  CHECK(inbox.under_way() == 0);
  CHECK(inbox.repeat(9));
  CHECK(inbox.under_way() == 1);
}

}  // namespace mq::session
