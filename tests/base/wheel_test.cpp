#include "base/wheel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/prng.hpp"

namespace mq {

namespace {

struct Member : WheelNode {
  explicit Member(int member_name) : name(member_name) {}
  int name;
};

Instant at(std::int64_t milliseconds) {
  return Instant(Millis(milliseconds));
}

std::vector<int> due_at(Wheel<Member>& wheel, Instant now) {
  std::vector<int> names;
  wheel.advance(now, [&](Member& member) { names.push_back(member.name); });
  return names;
}

}  // namespace

TEST_CASE("without deadlines a wheel wants no call") {
  Wheel<Member> wheel;
  CHECK(wheel.next() == kNever);
  CHECK(due_at(wheel, at(1'000'000)).empty());
}

TEST_CASE("a deadline comes due at the end of its quarter of a second, never before it, and once") {
  Wheel<Member> wheel;
  Member member(1);
  wheel.set(member, at(1001));
  CHECK(member.deadline() == at(1001));
  CHECK(wheel.next() == at(1250));
  CHECK(due_at(wheel, at(1249)).empty());
  CHECK(due_at(wheel, at(1250)) == std::vector<int>{1});
  CHECK(member.deadline() == kNever);
  CHECK(due_at(wheel, at(9999)).empty());
}

TEST_CASE("a deadline at the end of a quarter comes due right there") {
  Wheel<Member> wheel;
  Member member(1);
  wheel.set(member, at(1250));
  CHECK(wheel.next() == at(1250));
  CHECK(due_at(wheel, at(1250)) == std::vector<int>{1});
}

TEST_CASE("a deadline that has passed already comes due with the next quarter") {
  Wheel<Member> wheel;
  Member member(1);
  CHECK(due_at(wheel, at(5000)).empty());
  wheel.set(member, at(100));
  CHECK(wheel.next() == at(5250));
  CHECK(due_at(wheel, at(5250)) == std::vector<int>{1});
}

TEST_CASE("a deadline can be moved and taken back") {
  Wheel<Member> wheel;
  Member moved(1);
  Member taken(2);
  wheel.set(moved, at(1000));
  wheel.set(taken, at(1000));
  wheel.set(moved, at(3000));
  wheel.set(taken, kNever);
  CHECK(taken.deadline() == kNever);
  CHECK(due_at(wheel, at(2000)).empty());
  CHECK(due_at(wheel, at(3000)) == std::vector<int>{1});
}

TEST_CASE("a member that is destroyed leaves the wheel") {
  Wheel<Member> wheel;
  auto member = std::make_unique<Member>(1);
  wheel.set(*member, at(1000));
  member.reset();
  CHECK(wheel.next() == kNever);
  CHECK(due_at(wheel, at(1000)).empty());
}

TEST_CASE("a deadline many turns of the wheel away waits for its own turn") {
  Wheel<Member> wheel;
  Member member(1);
  wheel.set(member, at(1'000'000));
  std::int64_t calls = 0;
  while (member.deadline() != kNever) {
    const Instant next = wheel.next();
    REQUIRE(next <= at(1'000'000));
    wheel.advance(next, [&](Member&) { CHECK(next == at(1'000'000)); });
    ++calls;
  }
  CHECK(calls < 20);
}

TEST_CASE("after a long sleep all that is past comes due at once") {
  Wheel<Member> wheel;
  std::vector<std::unique_ptr<Member>> members;
  for (int name = 0; name < 600; ++name) {
    members.push_back(std::make_unique<Member>(name));
    wheel.set(*members.back(), at(name * 250));
  }
  CHECK(due_at(wheel, at(3'600'000)).size() == 600);
  CHECK(wheel.next() == kNever);
}

TEST_CASE("what is due may set deadlines and destroy members, itself among them") {
  Wheel<Member> wheel;
  std::vector<std::unique_ptr<Member>> members;
  for (int name = 0; name < 4; ++name) {
    members.push_back(std::make_unique<Member>(name));
    wheel.set(*members.back(), at(1000));
  }
  std::vector<int> names;
  wheel.advance(at(1000), [&](Member& member) {
    const int name = member.name;
    names.push_back(name);
    if (name == 0) wheel.set(member, at(2000));
    if (name == 1) members[2].reset();
    if (name == 1) members[1].reset();
  });
  CHECK(names == std::vector<int>{0, 1, 3});
  CHECK(due_at(wheel, at(2000)) == std::vector<int>{0});
}

TEST_CASE("whatever is set and however time jumps, each comes due in time") {
  Prng prng(5);
  Wheel<Member> wheel;
  std::vector<std::unique_ptr<Member>> members;
  for (int name = 0; name < 50; ++name) members.push_back(std::make_unique<Member>(name));
  std::int64_t now = 0;
  for (int step = 0; step < 5000; ++step) {
    Member& member = *members[prng.below(members.size())];
    const std::uint64_t range = prng.chance(1, 10) ? 400'000 : 5'000;
    wheel.set(member,
              prng.chance(1, 10) ? kNever : at(now + static_cast<std::int64_t>(prng.below(range))));
    now += static_cast<std::int64_t>(prng.below(prng.chance(1, 50) ? 300'000 : 300));
    wheel.advance(at(now), [&](Member&) {});
    for (const auto& each : members) {
      if (each->deadline() == kNever) continue;
      REQUIRE(each->deadline() > at(now - now % 250));  // the last quarter that is over
      const Instant end = at((each->deadline().time_since_epoch().count() + 249) / 250 * 250);
      REQUIRE(wheel.next() <= end);
    }
  }
}

}  // namespace mq
