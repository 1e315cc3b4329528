#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.hpp"
#include "storage/change.hpp"

namespace mq::storage {

/// A change to one of few sessions, messages, filters and topics, so that they meet.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : prng_(seed) {}

  Batch batch(Ticket ticket) {
    Batch batch{.ticket = ticket, .changes = {}};
    for (const char* id : kIds) batch.changes.emplace_back(PutSession{id, 1, kAwake});
    for (auto count = prng_.below(30); count > 0; --count) add(batch.changes);
    return batch;
  }

 private:
  static constexpr std::array kIds{"a", "b", "c"};

  std::string id() { return kIds[prng_.below(kIds.size())]; }
  MessageId message(std::vector<Change>& changes, std::size_t size = 1) {
    changes.emplace_back(
        PutMessage{++last_message_,
                   {.topic = "t", .properties = {}, .payload = std::vector<Byte>(size, 'x')}});
    return last_message_;
  }
  void add(std::vector<Change>& changes) {
    const auto number = static_cast<std::uint16_t>(1 + prng_.below(6));
    const std::string name = "n" + std::to_string(number);
    switch (prng_.below(13)) {
      case 0:
        changes.emplace_back(DropSession{id()});
        for (const char* each : kIds) changes.emplace_back(PutSession{each, number, kAwake});
        break;
      case 1:
        changes.emplace_back(PutWill{id(), {name, {}, {'w'}, 0, false, Seconds(0)}});
        break;
      case 2:
        changes.emplace_back(DropWill{id()});
        break;
      case 3:
        changes.emplace_back(PutSubscription{id(), name, number, 1});
        break;
      case 4:
        changes.emplace_back(DropSubscription{id(), name});
        break;
      case 5: {  // one body for two
        const auto body = message(changes);
        changes.emplace_back(PutQueued{"a", ++sequence_, body, 1, 0, 0, 1});
        changes.emplace_back(PutQueued{"b", sequence_, body, 2, 1, number, 1});
        break;
      }
      case 6:
        changes.emplace_back(ReleaseQueued{id(), sequence_ - prng_.below(3)});
        break;
      case 7:
        changes.emplace_back(DropQueued{id(), sequence_ - prng_.below(6)});
        break;
      case 8:  // old and new ones
        for (std::uint64_t back = prng_.below(40); back > 0; back -= 1 + prng_.below(back)) {
          changes.emplace_back(DropQueued{id(), sequence_ - back});
        }
        break;
      case 9:
        changes.emplace_back(PutIncoming{id(), ++packet_id_});
        break;
      case 10:
        changes.emplace_back(
            DropIncoming{id(), static_cast<std::uint16_t>(packet_id_ - prng_.below(6))});
        break;
      case 11:  // a body of its own, and now and then one that fills what is written at once
        for (auto count = 1 + prng_.below(6); count > 0; --count) {
          const std::size_t size = prng_.below(50) == 0 ? 200'000 : prng_.below(20);
          const auto body = message(changes, size);
          changes.emplace_back(PutQueued{id(), ++sequence_, body, 2, 0, 0, size});
        }
        break;
      default:
        if (prng_.below(4) == 0) {
          changes.emplace_back(DropRetained{name});
        } else {
          const auto body = message(changes);
          const Source source = body % 2 == 0 ? Source() : Source{1, "u", name};
          changes.emplace_back(PutRetained{name, body, WallTime(WallTime::duration(body)), source});
        }
    }
  }

  Prng prng_;
  MessageId last_message_ = 0;
  std::uint64_t sequence_ = 100;
  std::uint16_t packet_id_ = 100;
};

}  // namespace mq::storage
