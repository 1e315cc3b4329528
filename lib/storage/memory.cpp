#include "storage/memory.hpp"

#include <utility>

#include "base/check.hpp"

namespace mq::storage {

/// What a batch changes, one change after another. What nothing refers to when it is over goes.
struct Memory::Apply {
  Snapshot& state;
  References& references;
  std::set<MessageId> known{};                  ///< messages that came, or were retained, in it
  std::set<MessageId> loose{};                  ///< messages to which nothing may refer any more
  std::map<std::string, std::uint64_t> ends{};  ///< of queues before it

  void operator()(const PutSession& c) const {
    auto& session = state.sessions[c.client_id];
    session.expiry_interval = c.expiry_interval;
    session.asleep_since = c.asleep_since;
    session.fresh_from = c.fresh_from;
  }
  void operator()(const DropSession& c) {
    in_session(c, [this](auto& s) {
      for (const auto& [sequence, queued] : s.queue) release(queued.message, &Referrers::queued);
    });
    state.sessions.erase(c.client_id);
    ends.erase(c.client_id);
  }
  void operator()(const PutWill& c) const { state.sessions[c.client_id].will = c.will; }
  void operator()(const DropWill& c) const {
    in_session(c, [](auto& s) { s.will.reset(); });
  }
  void operator()(const PutSubscription& c) const {
    state.sessions[c.client_id].subscriptions[c.filter] = {c.identifier, c.options};
  }
  void operator()(const DropSubscription& c) const {
    in_session(c, [&c](auto& s) { s.subscriptions.erase(c.filter); });
  }
  void operator()(const PutMessage& c) {
    state.messages[c.id] = c.body;
    known.insert(c.id);
    loose.insert(c.id);
  }
  void operator()(const PutQueued& c) {
    auto& queue = state.sessions[c.client_id].queue;
    MQ_CHECK(c.sequence >= end_before(c.client_id, queue));
    MQ_CHECK(c.message == 0 || is_known(c.message));
    Snapshot::Queued& queued = queue[c.sequence];
    release(queued.message, &Referrers::queued);
    queued = {c.message, c.qos, c.flags, c.origin};
    refer(c.message, &Referrers::queued);
  }
  void operator()(const ReleaseQueued& c) {
    in_session(c, [&](auto& s) {
      const auto it = s.queue.find(c.sequence);
      if (it != s.queue.end()) release(std::exchange(it->second.message, 0), &Referrers::queued);
    });
  }
  void operator()(const DropQueued& c) {
    in_session(c, [&](auto& s) {
      end_before(c.client_id, s.queue);
      const auto it = s.queue.find(c.sequence);
      if (it == s.queue.end()) return;
      release(it->second.message, &Referrers::queued);
      s.queue.erase(it);
    });
  }
  void operator()(const PutIncoming& c) const {
    state.sessions[c.client_id].incoming.insert(c.packet_id);
  }
  void operator()(const DropIncoming& c) const {
    in_session(c, [&c](auto& s) { s.incoming.erase(c.packet_id); });
  }
  void operator()(const PutRetained& c) {
    (*this)(DropRetained{c.topic});
    state.retained[c.topic] = {c.message, c.expires_at, c.source};
    refer(c.message, &Referrers::retained);
  }
  void operator()(const DropRetained& c) {
    const auto it = state.retained.find(c.topic);
    if (it == state.retained.end()) return;
    known.insert(it->second.message);
    release(it->second.message, &Referrers::retained);
    state.retained.erase(it);
  }

  void end() {
    for (const MessageId id : loose) {
      if (!references.contains(id)) state.messages.erase(id);
    }
    state.last_message = state.messages.empty() ? 0 : state.messages.rbegin()->first;
  }

  /// Behind the last of a queue when the batch began.
  std::uint64_t end_before(const std::string& client_id,
                           const std::map<std::uint64_t, Snapshot::Queued>& queue) {
    const auto end = queue.empty() ? 0 : queue.rbegin()->first + 1;
    return ends.try_emplace(client_id, end).first->second;
  }
  void refer(MessageId id, std::size_t Referrers::* from) const {
    if (id != 0) ++(references[id].*from);
  }
  void release(MessageId id, std::size_t Referrers::* from) {
    const auto it = references.find(id);
    if (it == references.end()) return;
    --(it->second.*from);
    if (it->second == Referrers()) references.erase(it);
    loose.insert(id);
  }
  bool is_known(MessageId id) const {
    const auto it = references.find(id);
    return known.contains(id) || (it != references.end() && it->second.retained > 0);
  }
  void in_session(const auto& change, auto act) const {
    const auto it = state.sessions.find(change.client_id);
    if (it != state.sessions.end()) act(it->second);
  }
};

Memory Memory::holding(Snapshot state) {
  Memory memory;
  memory.state_ = std::move(state);
  Apply apply{memory.state_, memory.references_};
  for (const auto& [id, body] : memory.state_.messages) apply.loose.insert(id);
  for (const auto& [topic, retained] : memory.state_.retained) {
    apply.refer(retained.message, &Referrers::retained);
  }
  for (const auto& [client_id, session] : memory.state_.sessions) {
    for (const auto& [sequence, queued] : session.queue) {
      apply.refer(queued.message, &Referrers::queued);
    }
  }
  apply.end();
  return memory;
}

void Memory::submit(Batch batch) {
  pending_.push_back(std::move(batch));
}

bool Memory::commit() {
  if (pending_.empty()) return false;
  Apply apply{state_, references_};
  for (const Change& change : pending_.front().changes) std::visit(apply, change);
  apply.end();
  stored_ = pending_.front().ticket;
  pending_.pop_front();
  return true;
}

std::size_t Memory::queue_size(const std::string& client_id) const {
  const auto session = state_.sessions.find(client_id);
  return session == state_.sessions.end() ? 0 : session->second.queue.size();
}

void Memory::crash() {
  pending_.clear();
  loads_.clear();
  pages_.clear();
}

void Memory::answer_loads() {
  for (const Load& load : std::exchange(loads_, {})) {
    Page& page = pages_.emplace_back(Page{load.number, load.client_id, {}});
    std::size_t read = 0;
    for (const MessageId id : load.bodies) {
      if (read >= load.window.bytes) break;
      const auto body = state_.messages.find(id);
      if (body == state_.messages.end()) {
        page.lost.push_back(id);
      } else {
        read += body->second.payload.size();
        page.entries.push_back({0, {.message = id}, body->second});
      }
    }
    if (!load.bodies.empty()) continue;
    const auto session = state_.sessions.find(load.client_id);
    if (session == state_.sessions.end()) continue;
    const auto& queue = session->second.queue;
    std::size_t bytes = 0;
    for (auto it = queue.lower_bound(load.first);
         it != queue.end() && page.entries.size() < load.window.messages &&
         bytes < load.window.bytes;
         ++it) {
      const auto body = state_.messages.find(it->second.message);
      page.entries.push_back(
          {it->first, it->second, body == state_.messages.end() ? Body{} : body->second});
      bytes += page.entries.back().body.payload.size();
    }
  }
}

Snapshot Memory::load(Budget budget) const {
  const Window window = budget.queue;
  Snapshot cut = state_;
  for (auto& [client_id, session] : cut.sessions) {
    const auto size_of = [this](const Snapshot::Queued& queued) {
      const auto body = state_.messages.find(queued.message);
      return body == state_.messages.end() ? 0 : body->second.payload.size();
    };
    std::size_t count = 0;
    std::size_t bytes = 0;
    auto it = session.queue.begin();
    for (; it != session.queue.end() && count < window.messages && bytes < window.bytes; ++it) {
      ++count;
      bytes += size_of(it->second);
    }
    if (it == session.queue.end()) continue;
    session.tail.first = it->first;
    session.tail.end = session.queue.rbegin()->first + 1;
    for (auto rest = it; rest != session.queue.end(); ++rest) {
      ++session.tail.count;
      session.tail.bytes += size_of(rest->second);
    }
    session.queue.erase(it, session.queue.end());
  }
  std::set<MessageId> used;
  std::size_t retained_bytes = 0;
  for (const auto& [topic, retained] : cut.retained) {
    if (retained_bytes >= budget.retained_bytes) break;
    retained_bytes += state_.messages.at(retained.message).payload.size();
    used.insert(retained.message);
  }
  for (const auto& [client_id, session] : cut.sessions) {
    for (const auto& [sequence, queued] : session.queue) used.insert(queued.message);
  }
  std::erase_if(cut.messages, [&used](const auto& item) { return !used.contains(item.first); });
  return cut;
}

}  // namespace mq::storage
