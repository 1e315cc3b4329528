#include "session/outbox.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "base/prng.hpp"

namespace mq::session {

namespace {

using wire::QoS;
using Box = Outbox<int>;

/// Sends everything that may go now. Returns the packet ids.
std::vector<std::uint16_t> send_all(Box& box, std::size_t window = 100'000) {
  std::vector<std::uint16_t> ids;
  while (const auto item = box.next(window)) {
    ids.push_back(item->packet_id());
    box.mark_sent();
  }
  return ids;
}

void settle(Box& box, std::uint16_t packet_id) {
  const auto item = box.find(packet_id);
  REQUIRE(item.has_value());
  box.settle(*item);
}

void settle_all(Box& box) {
  for (const auto packet_id : send_all(box)) settle(box, packet_id);
}

/// The ids of the PUBRELs that are due.
std::vector<std::uint16_t> releases(Box& box) {
  std::vector<std::uint16_t> ids;
  box.send_releases([&ids](std::uint16_t packet_id) { ids.push_back(packet_id); });
  return ids;
}

Box box_of(int messages) {
  Box box;
  for (int i = 1; i <= messages; ++i) box.push(i, QoS::at_least_once);
  return box;
}

}  // namespace

TEST_CASE("packet ids count 1, 2, 3 and begin again behind 65,535, never 0 [MQTT-2.2.1-4]") {
  CHECK(packet_id_of(1) == 1);
  CHECK(packet_id_of(2) == 2);
  CHECK(packet_id_of(65'535) == 65'535);
  CHECK(packet_id_of(65'536) == 1);
  CHECK(packet_id_of(2 * kPacketIds) == 65'535);
  CHECK(packet_id_of(2 * kPacketIds + 1) == 1);
}

TEST_CASE("what is sent as it comes is under way like the rest, where nothing stands before it") {
  Box box = box_of(2);
  CHECK_FALSE(box.is_clear(100));
  send_all(box);
  REQUIRE(box.is_clear(100));
  CHECK_FALSE(box.is_clear(2));
  CHECK(packet_id_of(box.next_sequence()) == 3);
  box.push_sent(30, QoS::at_least_once);
  CHECK(box.in_flight() == 3);
  CHECK(box.waiting() == 0);
  CHECK_FALSE(box.next(100).has_value());
  settle(box, 1);
  settle(box, 3);
  box.rewind();
  CHECK_FALSE(box.is_clear(100));
  CHECK(send_all(box) == std::vector<std::uint16_t>{2});
}

TEST_CASE("messages leave in the order in which they came, each once") {
  Box box;
  CHECK(box.push(10, QoS::at_least_once) == 1);
  CHECK(box.push(20, QoS::exactly_once) == 2);
  auto item = box.next(100);
  REQUIRE(item.has_value());
  CHECK(item->entry->message == 10);
  CHECK(item->entry->qos == QoS::at_least_once);
  CHECK_FALSE(item->entry->was_sent);
  CHECK(item->sequence == 1);
  box.mark_sent();
  item = box.next(100);
  REQUIRE(item.has_value());
  CHECK(item->entry->message == 20);
  CHECK(item->packet_id() == 2);
  box.mark_sent();
  CHECK_FALSE(box.next(100).has_value());
  CHECK(box.in_flight() == 2);
  CHECK(box.waiting() == 0);
}

TEST_CASE("next() changes nothing that can be seen") {
  Box box = box_of(2);
  CHECK(box.next(100)->sequence == 1);
  CHECK(box.next(100)->sequence == 1);
  CHECK(box.waiting() == 2);
  CHECK(box.in_flight() == 0);
}

TEST_CASE("no more are under way than the peer's receive maximum [MQTT-3.3.4-9]") {
  Box box = box_of(5);
  CHECK(send_all(box, 2) == std::vector<std::uint16_t>{1, 2});
  CHECK(box.waiting() == 3);
  settle(box, 2);
  CHECK(send_all(box, 2) == std::vector<std::uint16_t>{3});
  settle(box, 1);
  settle(box, 3);
  CHECK(send_all(box, 2) == std::vector<std::uint16_t>{4, 5});
  CHECK_FALSE(box.next(0).has_value());
}

TEST_CASE("only what is under way is found by its packet id") {
  Box box = box_of(3);
  CHECK_FALSE(box.find(1).has_value());
  box.next(100);
  box.mark_sent();
  REQUIRE(box.find(1).has_value());
  CHECK(box.find(1)->entry->message == 1);
  CHECK_FALSE(box.find(2).has_value());
  CHECK_FALSE(box.find(0).has_value());
  CHECK_FALSE(box.find(65'535).has_value());
  settle(box, 1);
  CHECK_FALSE(box.find(1).has_value());
}

TEST_CASE("0 is no packet id, also where the ids begin again") {
  Box box;
  for (std::uint64_t i = 1; i < kPacketIds; ++i) {
    box.push(0, QoS::at_least_once);
    send_all(box);
    settle(box, packet_id_of(i));
  }
  box.push(1, QoS::at_least_once);
  CHECK(send_all(box) == std::vector<std::uint16_t>{65'535});
  CHECK(box.find(65'535).has_value());
  CHECK_FALSE(box.find(0).has_value());
}

TEST_CASE("what is settled out of turn is found no more, and goes when what is older is settled") {
  Box box = box_of(3);
  send_all(box);
  settle(box, 2);
  CHECK_FALSE(box.find(2).has_value());
  CHECK(box.size() == 3);
  CHECK(box.in_flight() == 2);
  settle(box, 1);
  CHECK(box.size() == 1);
  CHECK(box.first_sequence() == 3);
  settle(box, 3);
  CHECK(box.empty());
  CHECK(box.next_sequence() == 4);
}

TEST_CASE("a QoS 2 message gives up its content at PUBREC and its id at PUBCOMP [MQTT-4.3.3-5]") {
  Outbox<std::shared_ptr<int>> box;
  const auto message = std::make_shared<int>(1);
  box.push(message, QoS::exactly_once);
  REQUIRE(box.next(100).has_value());
  box.mark_sent();
  CHECK(message.use_count() == 2);
  box.release(*box.find(1));
  CHECK(message.use_count() == 1);
  REQUIRE(box.find(1).has_value());
  CHECK(box.find(1)->entry->state == Delivery::released);
  CHECK(box.in_flight() == 1);
  box.settle(*box.find(1));
  CHECK(box.empty());
}

TEST_CASE("after a loss what was under way leaves again, in order, under its id [MQTT-4.4.0-1]") {
  Box box;
  for (int i = 1; i <= 4; ++i) box.push(i, QoS::exactly_once);
  send_all(box, 3);
  settle(box, 2);
  settle(box, 1);
  box.rewind();
  CHECK(box.in_flight() == 0);
  CHECK_FALSE(box.find(3).has_value());

  auto item = box.next(100);
  CHECK(item->packet_id() == 3);
  CHECK(item->entry->was_sent);
  CHECK(item->entry->message == 3);
  box.mark_sent();
  item = box.next(100);
  CHECK(item->packet_id() == 4);
  CHECK_FALSE(item->entry->was_sent);
  box.mark_sent();
  CHECK_FALSE(box.next(100).has_value());
  CHECK(box.in_flight() == 2);
}

TEST_CASE("PUBRELs are sent again whatever the window is, and before all others [MQTT-3.3.4-8]") {
  Box box;
  for (int i = 1; i <= 5; ++i) box.push(i, QoS::exactly_once);
  send_all(box, 4);
  box.release(*box.find(2));
  box.release(*box.find(4));
  CHECK_FALSE(box.owes_releases());
  for (int loss = 0; loss < 2; ++loss) {
    box.rewind();
    CHECK(box.waiting() == 3);
    CHECK(box.owes_releases());
    CHECK(releases(box) == std::vector<std::uint16_t>{2, 4});
    CHECK_FALSE(box.owes_releases());
    CHECK(releases(box).empty());
    CHECK(send_all(box, 1) == std::vector<std::uint16_t>{1});
    CHECK(box.in_flight() == 1);
    CHECK_FALSE(box.find(3).has_value());
    CHECK(box.find(4)->entry->state == Delivery::resumed);
  }
  settle(box, 4);
  CHECK_FALSE(box.find(4).has_value());
  CHECK(box.waiting() == 2);
  settle(box, 1);
  settle(box, 2);
  CHECK(box.first_sequence() == 3);
  CHECK(send_all(box) == std::vector<std::uint16_t>{3, 5});
  box.rewind();
  CHECK(releases(box).empty());
}

TEST_CASE("a PUBREL is due once in a connection [MQTT-4.4.0-1]") {
  Box box;
  for (int i = 1; i <= 3; ++i) box.push(i, QoS::exactly_once);
  send_all(box, 3);
  box.release(*box.find(3));
  box.rewind();
  CHECK(releases(box) == std::vector<std::uint16_t>{3});
  for (std::uint16_t id = 1; id <= 2; ++id) {
    REQUIRE(box.next(100));
    box.abandon();
    CHECK(releases(box) == std::vector<std::uint16_t>{id});
  }
  box.rewind();
  CHECK(releases(box) == std::vector<std::uint16_t>{1, 2, 3});
}

TEST_CASE("what the peer may know is abandoned with a PUBREL, and its id is kept for PUBCOMP") {
  Box box;
  for (int i = 1; i <= 3; ++i) box.push(i, QoS::exactly_once);
  send_all(box, 2);
  box.rewind();
  send_all(box, 1);
  REQUIRE(box.next(100)->packet_id() == 2);
  box.abandon();
  CHECK(box.waiting() == 1);
  CHECK(box.in_flight() == 1);
  CHECK(box.is_in_use(2));
  CHECK(releases(box) == std::vector<std::uint16_t>{2});
  CHECK(send_all(box) == std::vector<std::uint16_t>{3});
  settle(box, 2);
  CHECK_FALSE(box.is_in_use(2));
}

TEST_CASE("an id is in use as long as the peer may know a message by it [MQTT-2.2.1-3]") {
  Box box = box_of(4);
  send_all(box, 2);
  CHECK(box.is_in_use(1));
  CHECK(box.is_in_use(2));
  CHECK_FALSE(box.is_in_use(3));
  CHECK_FALSE(box.is_in_use(0));
  CHECK_FALSE(box.is_in_use(5));
  box.rewind();
  CHECK(box.is_in_use(2));
  settle_all(box);
  CHECK_FALSE(box.is_in_use(2));
}

TEST_CASE("what waits is what has not left since the last loss and is not settled") {
  Box box = box_of(4);
  send_all(box, 3);
  CHECK(box.waiting() == 1);
  settle(box, 2);
  CHECK(box.waiting() == 1);
  box.rewind();
  CHECK(box.waiting() == 3);
  send_all(box, 1);
  CHECK(box.waiting() == 2);
  send_all(box);
  CHECK(box.waiting() == 0);
}

TEST_CASE("an outbox is empty when its last message is settled, also after a loss") {
  Box box = box_of(3);
  send_all(box);
  settle(box, 2);
  settle(box, 3);
  box.rewind();
  CHECK(send_all(box, 1) == std::vector<std::uint16_t>{1});
  settle(box, 1);
  CHECK(box.empty());
  CHECK(box.waiting() == 0);
  CHECK(box.push(4, QoS::at_least_once) == 4);
  CHECK(send_all(box) == std::vector<std::uint16_t>{4});
}

TEST_CASE("what is given up unsent is settled and its id not used") {
  Box box = box_of(3);
  CHECK(box.next(100)->packet_id() == 1);
  box.skip();
  CHECK(box.size() == 2);
  CHECK(box.next(100)->packet_id() == 2);
  box.mark_sent();
  CHECK(box.next(100)->packet_id() == 3);
  box.skip();
  CHECK_FALSE(box.find(3).has_value());
  CHECK(box.in_flight() == 1);
  settle(box, 2);
  CHECK(box.empty());
}

TEST_CASE("an id is not used again while the message that had it is under way") {
  Box box;
  for (std::uint64_t i = 0; i < kPacketIds + 10; ++i) box.push(0, QoS::at_least_once);
  CHECK(send_all(box).size() == kPacketIds);
  CHECK(box.in_flight() == kPacketIds);
  settle(box, 2);
  CHECK_FALSE(box.next(100'000).has_value());
  settle(box, 1);
  CHECK(send_all(box) == std::vector<std::uint16_t>{1, 2});
  CHECK(box.find(1)->sequence == kPacketIds + 1);
}

TEST_CASE("clearing forgets the messages but not the numbers") {
  Box box = box_of(3);
  send_all(box, 2);
  box.clear();
  CHECK(box.empty());
  CHECK(box.in_flight() == 0);
  CHECK(box.waiting() == 0);
  CHECK_FALSE(box.find(1).has_value());
  CHECK(box.push(9, QoS::at_least_once) == 4);
}

namespace {

/// What an outbox promises, kept in the simplest way: the unsettled messages by sequence number.
struct Expected {
  int message;
  bool is_under_way = false;
  bool was_sent = false;
  bool is_released = false;
  bool is_resumed = false;  ///< released in an earlier connection
  bool is_to_wait() const { return !is_under_way && !is_resumed; }
};

/// An outbox and its model, to which the same things happen.
class Pair {
 public:
  explicit Pair(std::uint64_t seed) : prng_(seed) {}

  void step() {
    const std::uint64_t choice = prng_.below(80);
    if (choice < 20) {
      push();
    } else if (choice < 40) {
      send();
    } else if (choice < 79) {
      acknowledge();
    } else {
      box_.rewind();
      for (auto& [sequence, entry] : model_) {
        entry.is_under_way = false;
        entry.is_resumed = entry.is_released;
      }
      REQUIRE(releases(box_) == ids_of([](const Expected& each) { return each.is_resumed; }));
    }
    REQUIRE(box_.empty() == model_.empty());
    REQUIRE(box_.in_flight() == in_flight());
    REQUIRE(box_.waiting() ==
            ids_of([](const Expected& each) { return each.is_to_wait(); }).size());
  }

 private:
  void push() {
    const int message = static_cast<int>(prng_.below(1000));
    REQUIRE(box_.push(message, QoS::exactly_once) == ++pushed_);
    model_[pushed_] = Expected{message};
  }

  void send() {
    const std::size_t window = 1 + prng_.below(10);
    const auto item = box_.next(window);
    const auto first =
        std::ranges::find_if(model_, [](const auto& each) { return each.second.is_to_wait(); });
    REQUIRE(item.has_value() == (first != model_.end() && in_flight() < window));
    if (!item) return;
    Expected& expected = first->second;
    REQUIRE(item->sequence == first->first);
    REQUIRE(item->entry->was_sent == expected.was_sent);
    REQUIRE(item->entry->message == expected.message);
    if (prng_.chance(1, 8)) {
      if (!expected.was_sent) {
        box_.skip();
        model_.erase(first);
        return;
      }
      box_.abandon();
      expected.is_released = expected.is_resumed = true;
      REQUIRE(releases(box_) == std::vector{packet_id_of(first->first)});
      return;
    }
    box_.mark_sent();
    expected.is_under_way = expected.was_sent = true;
  }

  void acknowledge() {
    std::vector<std::uint64_t> candidates;
    for (const auto& [sequence, entry] : model_) {
      if (!entry.is_to_wait()) candidates.push_back(sequence);
    }
    if (candidates.empty()) return;
    const std::uint64_t sequence = candidates[prng_.below(candidates.size())];
    const auto item = box_.find(packet_id_of(sequence));
    REQUIRE(item.has_value());
    REQUIRE(item->sequence == sequence);
    if (!model_[sequence].is_released && prng_.chance(1, 2)) {
      box_.release(*item);
      model_[sequence].is_released = true;
      return;
    }
    box_.settle(*item);
    model_.erase(sequence);
  }

  template <class Test>
  std::vector<std::uint16_t> ids_of(Test test) const {
    std::vector<std::uint16_t> ids;
    for (const auto& [sequence, entry] : model_) {
      if (test(entry)) ids.push_back(packet_id_of(sequence));
    }
    return ids;
  }

  std::size_t in_flight() const {
    return ids_of([](const Expected& each) { return each.is_under_way; }).size();
  }

  Prng prng_;
  Box box_;
  std::map<std::uint64_t, Expected> model_;
  std::uint64_t pushed_ = 0;
};

}  // namespace

TEST_CASE("an outbox keeps its promises whatever comes when") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Pair pair(seed);
    for (int i = 0; i < 3000; ++i) pair.step();
  }
}

TEST_CASE("gaps between restored entries do not wait to be sent") {
  Box box;
  box.restore(10, {1, QoS::at_least_once, Delivery::waiting, false, 0});
  box.restore(13, {2, QoS::at_least_once, Delivery::waiting, false, 0});
  CHECK(box.waiting() == 2);
  CHECK(send_all(box) == std::vector<std::uint16_t>{10, 13});
  CHECK(box.waiting() == 0);
  settle(box, 10);
  settle(box, 13);
  CHECK(box.empty());
  box.continue_at(20);
  CHECK(box.push(3, QoS::at_least_once) == 20);
  CHECK(box.waiting() == 1);
  box.continue_at(25);
  CHECK(box.push(4, QoS::at_least_once) == 25);
  CHECK(send_all(box) == std::vector<std::uint16_t>{20, 25});
  box.rewind();
  CHECK(box.waiting() == 2);
}

}  // namespace mq::session
