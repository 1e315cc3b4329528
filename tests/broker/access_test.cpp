#include "broker/access.hpp"

#include <doctest/doctest.h>

#include "support/world.hpp"

using namespace mq;
using namespace mq::support;
using broker::Access;
using broker::AccessRules;
using broker::Right;
using broker::fact::Act;
using wire::QoS;
using wire::Version;

namespace {

constexpr std::uint8_t kDeny = 0;
constexpr std::uint8_t kRead = 1;
constexpr std::uint8_t kWrite = 2;
constexpr std::uint8_t kBoth = 3;

/// Rules as of a file with one on each line: whom it is about ("" nobody in particular, "*" a
/// pattern), what it grants, and the filter.
struct Line {
  std::string who;
  std::uint8_t rights;
  std::string filter;
};

std::shared_ptr<const AccessRules> rules(const std::vector<Line>& lines) {
  auto rules = std::make_shared<AccessRules>();
  rules->file = "acl";
  std::uint32_t number = 0;
  for (const auto& [who, rights, filter] : lines) {
    const broker::AccessRule rule{filter, rights, ++number};
    if (who == "*") {
      rules->patterns.push_back(rule);
    } else {
      (who.empty() ? rules->anonymous : rules->users[who]).add(rule);
    }
  }
  return rules;
}

/// "yes 3": allowed, by line 3; "no 0": no rule matches.
std::string shown(const Access::Decision& decision) {
  return (decision.is_allowed ? "yes " : "no ") +
         std::to_string(decision.rule == nullptr ? 0 : decision.rule->line);
}

wire::Connect named(std::string_view id, std::string_view user, Version version = Version::v311) {
  wire::Connect connect;
  connect.version = version;
  connect.client_id = id;
  if (!user.empty()) connect.user_name = user;
  return connect;
}

Peer& join(World& world, std::string_view id, std::string_view user,
           Version version = Version::v311) {
  Peer& peer = world.peer().connect(named(id, user, version));
  peer.all();
  return peer;
}

std::vector<broker::fact::Denied> denials(const World& world) {
  std::vector<broker::fact::Denied> found;
  for (const auto& fact : world.facts) {
    if (const auto* denied = std::get_if<broker::fact::Denied>(&fact)) found.push_back(*denied);
  }
  return found;
}

}  // namespace

TEST_CASE("rules of users are theirs, those of nobody are for clients without a name") {
  const auto file = rules({{"", kRead, "open/#"}, {"alice", kBoth, "a"}, {"bob", kWrite, "b/+"}});
  const Access nobody(file, "", "x");
  const Access alice(file, "alice", "x");
  const Access bob(file, "bob", "x");
  const Access carol(file, "carol", "x");
  CHECK(shown(nobody.decide(Right::read, "open/door")) == "yes 1");
  CHECK(shown(nobody.decide(Right::write, "open/door")) == "no 0");
  CHECK(shown(nobody.decide(Right::read, "a")) == "no 0");
  CHECK(shown(alice.decide(Right::read, "open/door")) == "no 0");
  CHECK(shown(alice.decide(Right::read, "a")) == "yes 2");
  CHECK(shown(alice.decide(Right::write, "a")) == "yes 2");
  CHECK(shown(bob.decide(Right::write, "b/1")) == "yes 3");
  CHECK(shown(bob.decide(Right::read, "b/1")) == "no 0");
  CHECK(shown(carol.decide(Right::read, "a")) == "no 0");
}

TEST_CASE("a denial beats every grant of its rank, and a user's grant the denial of a pattern") {
  const auto file = rules({{"alice", kBoth, "a/#"},
                           {"alice", kDeny, "a/secret/#"},
                           {"alice", kBoth, "a/secret/key"},
                           {"alice", kDeny, "a/x"},
                           {"alice", kBoth, "a/x"},
                           {"*", kDeny, "a/b"},
                           {"*", kBoth, "c/#"},
                           {"*", kDeny, "c/d"}});
  const Access alice(file, "alice", "x");
  CHECK(shown(alice.decide(Right::read, "a/secret/key")) == "no 2");
  CHECK(shown(alice.decide(Right::read, "a/x")) == "no 4");
  CHECK(shown(alice.decide(Right::read, "a/b")) == "yes 1");
  CHECK(shown(alice.decide(Right::read, "c/e")) == "yes 7");
  CHECK(shown(alice.decide(Right::write, "c/d")) == "no 8");
}

TEST_CASE("patterns stand for whole levels, and names with wildcards get nothing by them") {
  const auto file = rules({{"*", kBoth, "u/%u/#"}, {"*", kRead, "c/%c"}, {"*", kRead, "x%u"}});
  const Access alice(file, "alice", "id");
  CHECK(shown(alice.decide(Right::write, "u/alice/x")) == "yes 1");
  CHECK(shown(alice.decide(Right::write, "u/bob/x")) == "no 0");
  CHECK(shown(alice.decide(Right::read, "c/id")) == "yes 2");
  CHECK(shown(alice.decide(Right::read, "xalice")) == "no 0");
  CHECK(shown(Access(file, "", "id").decide(Right::read, "u//x")) == "no 0");
  CHECK(shown(Access(file, "", "id").decide(Right::read, "c/id")) == "yes 2");
  CHECK(shown(Access(file, "+", "id").decide(Right::read, "u/alice/x")) == "no 0");
  CHECK(shown(Access(file, "alice", "#").decide(Right::read, "u/alice/x")) == "no 0");
}

TEST_CASE("a rule that begins with a wildcard grants no topic that begins with $ [MQTT-4.7.2-1]") {
  const Access bob(rules({{"bob", kBoth, "#"}}), "bob", "x");
  CHECK(shown(bob.decide(Right::read, "a")) == "yes 1");
  CHECK(shown(bob.decide(Right::read, "$SYS/broker/uptime")) == "no 0");
  CHECK(shown(bob.decide_subscription("$SYS/#")) == "no 0");
}

TEST_CASE("a subscription is of use when something that it could match may be read") {
  const auto file = rules({{"bob", kRead, "a/+/temperature"},
                           {"bob", kDeny, "a/attic/#"},
                           {"bob", kWrite, "w/#"},
                           {"*", kRead, "me/%u"}});
  const Access bob(file, "bob", "x");
  CHECK(shown(bob.decide_subscription("#")) == "yes 1");
  CHECK(shown(bob.decide_subscription("a/#")) == "yes 1");
  CHECK(shown(bob.decide_subscription("a/attic/temperature")) == "no 2");
  CHECK(shown(bob.decide_subscription("a/attic/+")) == "no 2");
  CHECK(shown(bob.decide_subscription("a/+/humidity")) == "no 0");
  CHECK(shown(bob.decide_subscription("w/#")) == "no 0");
  CHECK(shown(bob.decide_subscription("me/+")) == "yes 4");
}

TEST_CASE(
    "a PUBLISH that is denied is dropped: v5 hears 0x87, v3 an acknowledgement [MQTT3-3.3.5-2]") {
  World world(quiet());
  world.core().use_rules(0, rules({{"", kBoth, "open"}}));
  Peer& reader = join(world, "r", "").subscribe("#");
  Peer& old = join(world, "old", "");
  Peer& young = join(world, "young", "", Version::v5);
  CHECK(old.publish("shut", "x", QoS::at_least_once, 1).all() == "PUBACK 1");
  CHECK(old.publish("shut", "x", QoS::exactly_once, 2).all() == "PUBREC 2");
  CHECK(old.send(wire::Pubrel{2, {}, {}}).all() == "PUBCOMP 2");
  CHECK(young.publish("shut", "x", QoS::at_least_once, 1).all() == "PUBACK 1 87");
  CHECK(young.publish("shut", "x", QoS::exactly_once, 2).all() == "PUBREC 2 87");
  CHECK(young.publish("shut", "x").all().empty());
  CHECK(young.retain("shut", "x").all().empty());
  CHECK(world.core().retained_count() == 0);
  CHECK(reader.all().empty());
  young.publish("open", "x");
  CHECK(reader.all() == "PUBLISH open q0 'x'");
}

TEST_CASE(
    "a SUBSCRIBE is refused where nothing could be read, with 0x80 and 0x87 [MQTT-3.8.4-7] "
    "[MQTT-3.9.3-2]") {
  World world(quiet());
  world.core().use_rules(0, rules({{"", kRead, "open/#"}}));
  const auto subscribe = [](Peer& peer, std::string_view filter) {
    return peer.send(wire::Subscribe{7, {}, {{filter, {}}}}).all();
  };
  Peer& v31 = join(world, "a", "", Version::v31);
  Peer& v311 = join(world, "b", "");
  Peer& v5 = join(world, "c", "", Version::v5);
  CHECK(subscribe(v31, "shut/#") == "SUBACK 7 00");
  CHECK(subscribe(v311, "shut/#") == "SUBACK 7 80");
  CHECK(subscribe(v5, "shut/#") == "SUBACK 7 87");
  CHECK(subscribe(v5, "$share/g/shut/#") == "SUBACK 7 87");
  CHECK(subscribe(v311, "+/x") == "SUBACK 7 00");
  CHECK(world.core().subscription_count() == 2);
}

TEST_CASE("what may not be read is not delivered: live, queued, retained, shared") {
  World world(quiet());
  world.core().use_rules(0, rules({{"", kBoth, "#"}, {"bob", kRead, "+/open"}}));
  Peer& writer = join(world, "w", "");
  writer.retain("r/open", "1").retain("r/shut", "2");
  Peer& bob = join(world, "bob", "bob").subscribe("#", {.qos = QoS::at_least_once});
  CHECK(bob.all() == "PUBLISH r/open q0 retain '1'");
  writer.publish("a/shut", "x").publish("a/shut", "x", QoS::at_least_once, 1);
  writer.publish("a/open", "y");
  CHECK(bob.all() == "PUBLISH a/open q0 'y'");

  bob.subscribe("$share/g/+/#");
  writer.publish("s/shut/too", "x");
  CHECK(bob.all().empty());
  Peer& free = join(world, "free", "").subscribe("$share/g/+/#");
  writer.publish("s/shut/too", "1").publish("s/shut/too", "2");
  CHECK(free.all() == "PUBLISH s/shut/too q0 '1'; PUBLISH s/shut/too q0 '2'");
}

TEST_CASE("a client feels new rules at once, in what waits for it, too") {
  World world(quiet());
  Peer& writer = join(world, "w", "");
  Peer& here = join(world, "here", "bob").subscribe("t");
  auto connect = named("away", "bob");
  connect.clean_start = false;
  Peer& away = world.peer().connect(connect).subscribe("t", {.qos = QoS::at_least_once});
  away.drop();
  writer.publish("t", "1", QoS::at_least_once, 1);
  CHECK(here.all() == "PUBLISH t q0 '1'");

  world.core().use_rules(0, rules({{"", kBoth, "#"}, {"bob", kRead, "other"}}));
  writer.publish("t", "2", QoS::at_least_once, 2);
  CHECK(here.all().empty());
  CHECK(world.peer().connect(connect).all() == "CONNACK 00 present");
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::denied)] == 1);

  world.core().use_rules(0, nullptr);
  writer.publish("t", "3");
  CHECK(here.all() == "PUBLISH t q0 '3'");
}

TEST_CASE("what was queued while the user was not known is checked when it is") {
  World world(durable());
  auto connect = named("away", "bob");
  connect.clean_start = false;
  world.peer().connect(connect).subscribe("#", {.qos = QoS::at_least_once});
  world.crash();
  world.core().use_rules(0, rules({{"", kBoth, "#"}, {"bob", kRead, "open"}}));
  Peer& writer = join(world, "w", "");
  writer.publish("shut", "1", QoS::at_least_once, 1);
  writer.publish("open", "2", QoS::at_least_once, 2);
  Peer& back = world.peer().connect(connect);
  CHECK(back.next() == "CONNACK 00 present");
  CHECK(back.all().ends_with("'2'"));
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::denied)] == 1);
}

TEST_CASE("it is checked though nobody knows any more whether it was sent before a crash") {
  World world(durable());
  auto connect = named("away", "bob");
  connect.clean_start = false;
  world.peer().connect(connect).subscribe("#", {.qos = QoS::at_least_once});
  const auto no_secrets = rules({{"", kBoth, "#"}, {"bob", kDeny, "shut"}});
  world.crash();
  world.core().use_rules(0, no_secrets);
  join(world, "w", "").publish("shut", "1", QoS::at_least_once, 1);
  world.crash();
  world.core().use_rules(0, no_secrets);
  Peer& back = world.peer().connect(connect);
  CHECK(back.all() == "CONNACK 00 present");
  CHECK(world.core().stats().drops[static_cast<std::size_t>(broker::Drop::denied)] == 1);
}

TEST_CASE("a will is checked when it is left, and when it is published") {
  World world(quiet());
  world.core().use_rules(0, rules({{"", kBoth, "open"}, {"", kRead, "shut"}}));
  Peer& reader = join(world, "r", "").subscribe("#");
  const auto with_will = [&world](std::string_view topic) -> Peer& {
    auto connect = named("w", "");
    connect.will.emplace();
    connect.will->topic = topic;
    connect.will->payload = bytes_of("bye");
    Peer& peer = world.peer().connect(connect);
    CHECK(peer.all() == "CONNACK 00");
    return peer;
  };
  with_will("shut").drop();
  CHECK(reader.all().empty());
  with_will("open").drop();
  CHECK(reader.all() == "PUBLISH open q0 'bye'");
  Peer& last = with_will("open");
  world.core().use_rules(0, rules({{"", kRead, "#"}}));
  last.drop();
  CHECK(reader.all().empty());
}

TEST_CASE("a denial is told with its rule, once a second for each client") {
  World world(quiet());
  world.core().use_rules(0, rules({{"", kBoth, "#"}, {"bob", kBoth, "#"}, {"bob", kDeny, "x"}}));
  Peer& bob = join(world, "id", "bob");
  for (int i = 0; i < 5; ++i) bob.publish("x", "1");
  REQUIRE(denials(world).size() == 1);
  const auto first = denials(world)[0];
  CHECK(first.client_id == "id");
  CHECK(first.user_name == "bob");
  CHECK(first.act == Act::publish);
  CHECK(first.topic == "x");
  CHECK(first.file == "acl");
  CHECK(first.line == 3);
  CHECK(first.untold == 0);
  world.advance(Millis(1000));
  bob.publish("x", "1");
  REQUIRE(denials(world).size() == 2);
  CHECK(denials(world)[1].untold == 4);
}

TEST_CASE("the last denial is told when its client goes, or the rules are others") {
  World world(quiet());
  const auto use_rules = [&world] {
    world.core().use_rules(0, rules({{"bob", kBoth, "#"}, {"bob", kDeny, "x/#"}}));
  };
  use_rules();
  Peer& bob = join(world, "id", "bob");
  for (const auto* topic : {"x/1", "x/2", "x/3"}) bob.publish(topic, "");
  REQUIRE(denials(world).size() == 1);
  SUBCASE("who goes") {
    bob.drop();
  }
  SUBCASE("whose rules are others") {
    use_rules();
    bob.drop();
  }
  REQUIRE(denials(world).size() == 2);
  CHECK(denials(world)[1].topic == "x/3");
  CHECK(denials(world)[1].untold == 1);
}

TEST_CASE("expelled users are told so, and nobody else is") {
  World world(quiet());
  Peer& bob = join(world, "bob", "bob", Version::v5);
  Peer& alice = join(world, "alice", "alice");
  const std::vector<std::string> gone{"bob", "carol"};
  world.core().expel(0, gone, world.now);
  world.settle();
  CHECK(bob.all() == "DISCONNECT 98; closed");
  CHECK_FALSE(alice.is_closed());
}

TEST_CASE("what is retained is withheld when its publisher may not publish it any more") {
  auto config = quiet();
  World world(config);
  const std::vector<Line> lines{{"", kRead, "#"}, {"bob", kBoth, "t/#"}};
  world.core().use_rules(0, rules(lines));
  join(world, "b", "bob").retain("t/1", "x").retain("t/2", "y");
  CHECK(join(world, "r", "").subscribe("#").all() ==
        "PUBLISH t/1 q0 retain 'x'; PUBLISH t/2 q0 retain 'y'");
  world.core().use_rules(0, rules({{"", kRead, "#"}, {"bob", kWrite, "t/2"}}));
  CHECK(join(world, "r", "").subscribe("#").all() == "PUBLISH t/2 q0 retain 'y'");
  config.check_retain_source = false;
  world.core().use_config(config, world.now);
  CHECK(join(world, "r", "").subscribe("#").all() ==
        "PUBLISH t/1 q0 retain 'x'; PUBLISH t/2 q0 retain 'y'");
}

TEST_CASE("who has published what is retained is known after a restart, too") {
  World world(durable());
  world.core().use_rules(0, rules({{"", kRead, "#"}, {"bob", kBoth, "t/#"}}));
  join(world, "b", "bob").retain("t/1", "x").retain("t/2", "y");
  world.crash();
  world.core().use_rules(0, rules({{"", kRead, "#"}, {"bob", kWrite, "t/2"}}));
  CHECK(join(world, "r", "").subscribe("#").all() == "PUBLISH t/2 q0 retain 'y'");
}

TEST_CASE("who has published what is retained came by a listener that is known by its port") {
  auto config = quiet();
  config.listeners.resize(2);
  config.listeners[0].port = 1;
  config.listeners[1].port = 2;
  World world(config);
  world.core().use_rules(0, rules({{"", kRead, "#"}, {"bob", kBoth, "t/#"}}));
  join(world, "b", "bob").retain("t/1", "x");
  std::swap(config.listeners[0], config.listeners[1]);  // as after a start with another file
  world.core().use_config(config, world.now);
  world.core().use_rules(0, rules({{"", kRead, "#"}}));
  world.core().use_rules(1, rules({{"", kRead, "#"}, {"bob", kBoth, "t/#"}}));
  CHECK(join(world, "r", "").subscribe("#").all() == "PUBLISH t/1 q0 retain 'x'");
  world.core().use_rules(1, rules({{"", kRead, "#"}}));
  CHECK(join(world, "s", "").subscribe("#").all() == "");
}
