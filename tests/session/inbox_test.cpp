#include "session/inbox.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace mq::session {

TEST_CASE("a QoS 2 message is new until its id is under way [MQTT-4.3.3-10]") {
  Inbox inbox;
  CHECK(inbox.put(7));
  CHECK(inbox.contains(7));
  CHECK_FALSE(inbox.put(7));
  CHECK(inbox.size() == 1);
}

TEST_CASE("an id that was released is new again [MQTT-4.3.3-12]") {
  Inbox inbox;
  CHECK(inbox.put(7));
  CHECK(inbox.drop(7));
  CHECK_FALSE(inbox.contains(7));
  CHECK_FALSE(inbox.drop(7));
  CHECK(inbox.put(7));
}

TEST_CASE("the ids are kept in order of arrival, whichever is released") {
  Inbox inbox;
  for (const unsigned id : {5U, 3U, 65535U, 1U}) CHECK(inbox.put(static_cast<std::uint16_t>(id)));
  CHECK(inbox.drop(3));
  CHECK(std::vector<std::uint16_t>(inbox.begin(), inbox.end()) ==
        std::vector<std::uint16_t>{5, 65535, 1});
  inbox.clear();
  CHECK(inbox.size() == 0);
  CHECK(inbox.put(5));
}

}  // namespace mq::session
