#include "storage/store.hpp"

namespace mq::storage {
namespace {

void add_session(const std::string& id, const Snapshot::Session& session, const Snapshot& state,
                 std::vector<Change>& changes) {
  changes.emplace_back(
      PutSession{id, session.expiry_interval, session.asleep_since, session.fresh_from});
  if (session.will) changes.emplace_back(PutWill{id, *session.will});
  for (const auto& [filter, subscription] : session.subscriptions) {
    changes.emplace_back(
        PutSubscription{id, filter, subscription.identifier, subscription.options});
  }
  for (const auto& [sequence, queued] : session.queue) {
    const auto body = state.messages.find(queued.message);
    const std::size_t size = body == state.messages.end() ? 0 : body->second.payload.size();
    changes.emplace_back(
        PutQueued{id, sequence, queued.message, queued.qos, queued.flags, queued.origin, size});
  }
  for (const auto packet_id : session.incoming) changes.emplace_back(PutIncoming{id, packet_id});
}

}  // namespace

std::vector<Change> changes_of(const Snapshot& state) {
  std::vector<Change> changes;
  changes.reserve(state.messages.size());
  for (const auto& [id, body] : state.messages) changes.emplace_back(PutMessage{id, body});
  for (const auto& [id, session] : state.sessions) add_session(id, session, state, changes);
  for (const auto& [topic, retained] : state.retained) {
    changes.emplace_back(
        PutRetained{topic, retained.message, retained.expires_at, retained.source});
  }
  return changes;
}

}  // namespace mq::storage
