#include "storage/mosquitto_db.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "everything.hpp"
#include "temporary.hpp"

using namespace mq;
using namespace mq::storage;
using namespace std::literals;
using support::bytes;
using support::TemporaryTree;

namespace {

/// A number with its highest byte first.
std::string big(std::uint64_t value, int size) {
  std::string text;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
    text += static_cast<char>(value >> shift);
  return text;
}
/// A number as this machine has it.
std::string own(std::int64_t value) {
  std::string text(sizeof(value), '\0');
  std::memcpy(text.data(), &value, sizeof(value));
  return text;
}

std::string chunk(unsigned kind, const std::string& content) {
  return big(kind, 4) + big(content.size(), 4) + content;
}

struct Message {
  std::int64_t id;
  std::string_view topic;
  std::string_view payload;
  std::int64_t expires_at = 0;
  std::string_view properties = "";
};
std::string message(const Message& is) {
  return chunk(2, own(is.id) + own(is.expires_at) + big(is.payload.size(), 4) + big(1, 2) +
                      big(3, 2) + big(4, 2) + big(is.topic.size(), 2) + big(1883, 2) + "\2\1" +
                      "src" + "user" + std::string(is.topic) + std::string(is.payload) +
                      std::string(is.properties));
}

struct Queued {
  std::string_view client_id;
  std::int64_t message;
  std::uint16_t packet_id;
  char state;
  char direction = 1;
  std::string_view properties = "";
};
std::string queued(const Queued& is) {
  return chunk(3, own(is.message) + big(is.packet_id, 2) + big(is.client_id.size(), 2) + "\2" +
                      is.state + "\x10" + is.direction + std::string(is.client_id) +
                      std::string(is.properties));
}
constexpr char kOnItsWay = 3;
constexpr char kReleased = 9;
constexpr char kWaits = 11;

std::string client(std::string_view id, std::uint32_t expiry, std::int64_t expires_at,
                   std::string_view v6_fields) {
  return chunk(6, own(expires_at) + big(expiry, 4) + big(1, 2) + big(id.size(), 2) +
                      std::string(v6_fields) + std::string(id));
}
constexpr auto kV6 = "\0\0\0\0\0\0\0\0"sv;

std::string subscription(std::string_view id, std::string_view filter) {
  return chunk(5, big(5, 4) + big(id.size(), 2) + big(filter.size(), 2) + "\2\x0C" + "\0\0"s +
                      std::string(id) + std::string(filter));
}

std::string head(unsigned version) {
  return "\0\xB5\0mosquitto db"s + big(0, 4) + big(version, 4);
}

struct Place {
  TemporaryTree directory;
  std::string path = directory / "mosquitto.db";

  std::expected<MosquittoState, Error> read(const std::string& content) const {
    std::ofstream(path, std::ios::binary) << content;
    return read_mosquitto_db(path);
  }
};

std::string everything_of_mosquitto() {
  return head(6) + chunk(1, "whatever it is") + client("a", 3600, 1'700'003'600, kV6) +
         client("b", UINT32_MAX, 0, kV6) + client("gone", 0, 0, kV6) + subscription("a", "t/#") +
         subscription("nobody", "t/#") + message({77, "t/1", "one", 1'800'000'000, "\2\1\1"}) +
         message({88, "t/2", ""}) + message({99, "unused", "x"}) +
         queued({"a", 77, 7, kOnItsWay, 1, "\2\x0B\5"}) + queued({"a", 88, 9, kReleased}) +
         queued({"a", 88, 0, kWaits}) + queued({"a", 77, 3, kWaits, 0}) +
         queued({"nobody", 77, 1, kWaits}) + queued({"b", 1234, 1, kWaits}) + chunk(4, own(88)) +
         chunk(4, own(1234));
}

}  // namespace

TEST_CASE("sessions, subscriptions, queues and retained messages are taken over from mosquitto") {
  const Place place;
  const auto read = place.read(everything_of_mosquitto());
  REQUIRE(read);
  CHECK(is_mosquittos(place.path));
  CHECK(read->unreleased == 1);
  const auto& [sessions, retained, messages, last_message] = read->state;
  REQUIRE(sessions.size() == 2);
  const auto& a = sessions.at("a");
  CHECK(a.expiry_interval == 3600);
  CHECK(a.asleep_since == WallTime(Seconds(1'700'000'000)));
  CHECK(sessions.at("b").asleep_since == kAwake);
  CHECK(a.subscriptions ==
        std::map<std::string, Snapshot::Subscription>{{"t/#", {.identifier = 5, .options = 14}}});
  // Sequence numbers keep the packet ids of what is on its way.
  CHECK(a.queue == std::map<std::uint64_t, Snapshot::Queued>{
                       {7, {.message = 1, .qos = 2, .flags = 1, .origin = 5}},
                       {9, {.message = 0, .qos = 2, .flags = 1, .origin = 0}},
                       {10, {.message = 2, .qos = 2, .flags = 1, .origin = 0}}});
  REQUIRE(retained.size() == 1);
  CHECK(retained.at("t/2").message == 2);
  REQUIRE(messages.size() == 2);
  CHECK(messages.at(1) == Body{.topic = "t/1",
                               .properties = bytes("\1\1"),
                               .payload = bytes("one"),
                               .qos = 2,
                               .retain = true,
                               .expires_at = WallTime(Seconds(1'800'000'000))});
  CHECK(messages.at(2).expires_at == kDoesNotExpire);
  CHECK(last_message == 2);
}

TEST_CASE("clients of version 5 have fewer fields, other versions are refused") {
  const Place place;
  const auto read = place.read(head(5) + client("a", UINT32_MAX, 0, ""));
  REQUIRE(read);
  CHECK(read->state.sessions.contains("a"));
  for (const unsigned version : {0U, 4U, 7U}) {
    const auto refused = place.read(head(version));
    REQUIRE(!refused);
    CHECK(refused.error().message.contains("in format " + std::to_string(version)));
  }
}

TEST_CASE("a file of mosquitto's that ends anywhere but between two chunks is refused") {
  const Place place;
  const std::string whole = everything_of_mosquitto();
  std::size_t whole_chunks = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto read = place.read(whole.substr(0, size));
    if (read) {
      ++whole_chunks;
    } else {
      CHECK(read.error().message.starts_with(place.path));
    }
  }
  CHECK(whole_chunks == 17);
  CHECK(!is_mosquittos(place.directory / "nothing"));
  CHECK(!read_mosquitto_db(place.directory / "nothing"));
}
