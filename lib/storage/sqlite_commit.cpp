#include "storage/sqlite_commit.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "storage/annihilate.hpp"

// A body that several rows refer to is written once, with their number. A batch gathers how that
// number changes and writes it at its end; so a body that came and went within the batch is never
// written at all.

namespace mq::storage {
namespace {

std::int64_t count_of(WallTime time) {
  return time.time_since_epoch().count();
}

}  // namespace

struct Committer::Statements {
  explicit Statements(const Database& d)
      : begin(d.prepare("BEGIN IMMEDIATE")),
        commit(d.prepare("COMMIT")),
        put_session(
            d.prepare("INSERT INTO session (client_id, expiry_interval, asleep_since, fresh_from) "
                      "VALUES (?, ?, ?, ?) RETURNING id")),
        change_session(
            d.prepare("UPDATE session SET expiry_interval = ?, asleep_since = ?, fresh_from = ? "
                      "WHERE id = ?")),
        drop_session(d.prepare("DELETE FROM session WHERE id = ?")),
        put_will(d.prepare("INSERT OR REPLACE INTO will VALUES (?, ?, ?, ?, ?, ?, ?)")),
        drop_will(d.prepare("DELETE FROM will WHERE session = ?")),
        put_subscription(d.prepare("INSERT OR REPLACE INTO subscription VALUES (?, ?, ?, ?)")),
        drop_subscription(d.prepare("DELETE FROM subscription WHERE session = ? AND filter = ?")),
        drop_subscriptions(d.prepare("DELETE FROM subscription WHERE session = ?")),
        put_message(d.prepare("INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)")),
        use_message(d.prepare("UPDATE message SET uses = uses + ? WHERE id = ?")),
        drop_message(d.prepare("DELETE FROM message WHERE id = ? AND uses <= 0")),
        put_incoming(d.prepare("INSERT OR IGNORE INTO incoming VALUES (?, ?)")),
        drop_incoming(d.prepare("DELETE FROM incoming WHERE session = ? AND packet_id = ?")),
        drop_all_incoming(d.prepare("DELETE FROM incoming WHERE session = ?")),
        put_retained(d.prepare("INSERT INTO retained VALUES (?, ?, ?, ?, ?, ?)")),
        drop_retained(d.prepare("DELETE FROM retained WHERE topic = ? RETURNING message")) {}

  Statement begin, commit, put_session, change_session, drop_session, put_will, drop_will,
      put_subscription, drop_subscription, drop_subscriptions, put_message, use_message,
      drop_message, put_incoming, drop_incoming, drop_all_incoming, put_retained, drop_retained;
};

/// One batch on its way into the file.
class Committer::Transaction {
 public:
  Transaction(Statements& statements, QueueCommitter& queues, TextMap<std::int64_t>& session_ids)
      : run_(statements), queues_(queues), session_ids_(session_ids) {
    queues_.start(uses_);
  }

  void operator()(const PutSession& c) {
    if (const auto known = session_ids_.find(c.client_id); known != session_ids_.end()) {
      run_.change_session
          .with(c.expiry_interval, count_of(c.asleep_since), c.fresh_from, known->second)
          .run();
      return;
    }
    run_.put_session.with(std::string_view(c.client_id), c.expiry_interval,
                          count_of(c.asleep_since), c.fresh_from);
    while (run_.put_session.step()) session_ids_[c.client_id] = run_.put_session.number(0);
  }
  void operator()(const DropSession& c) {
    const auto known = session_ids_.find(c.client_id);
    if (known == session_ids_.end()) return;
    const auto id = known->second;
    queues_.drop(id);
    for (Statement* drop :
         {&run_.drop_all_incoming, &run_.drop_subscriptions, &run_.drop_will, &run_.drop_session}) {
      drop->with(id).run();
    }
    session_ids_.erase(known);
  }
  void operator()(const PutWill& c) {
    run_.put_will
        .with(id_of(c), std::string_view(c.will.topic), ByteView(c.will.properties),
              ByteView(c.will.payload), c.will.qos, c.will.retain, c.will.delay.count())
        .run();
  }
  void operator()(const DropWill& c) { run_.drop_will.with(known_id_of(c)).run(); }
  void operator()(const PutSubscription& c) {
    run_.put_subscription.with(id_of(c), std::string_view(c.filter), c.identifier, c.options).run();
  }
  void operator()(const DropSubscription& c) {
    run_.drop_subscription.with(known_id_of(c), std::string_view(c.filter)).run();
  }
  void operator()(const PutMessage& c) { uses_[c.id].body = &c.body; }
  void operator()(const PutQueued& c) { queues_.put(id_of(c), c); }
  void operator()(const ReleaseQueued& c) {
    queues_.change(known_id_of(c), c.sequence, Fate::released);
  }
  void operator()(const DropQueued& c) { queues_.change(known_id_of(c), c.sequence, Fate::gone); }
  void operator()(const PutIncoming& c) { run_.put_incoming.with(id_of(c), c.packet_id).run(); }
  void operator()(const DropIncoming& c) {
    run_.drop_incoming.with(known_id_of(c), c.packet_id).run();
  }
  void operator()(const PutRetained& c) {
    unuse(run_.drop_retained.with(std::string_view(c.topic)));
    run_.put_retained
        .with(std::string_view(c.topic), c.message, count_of(c.expires_at), c.source.listener,
              std::string_view(c.source.user_name), std::string_view(c.source.client_id))
        .run();
    ++uses_[c.message].change;
  }
  void operator()(const DropRetained& c) {
    unuse(run_.drop_retained.with(std::string_view(c.topic)));
  }

  void finish() {
    queues_.write();
    uses_.erase(0);
    std::vector<std::pair<MessageId, MessageUse>> changed;
    std::ranges::copy_if(uses_, std::back_inserter(changed),
                         [](const auto& item) { return item.second.change != 0; });
    std::ranges::sort(changed, {}, [](const auto& item) { return item.first; });
    for (const auto& [id, use] : changed) {
      if (use.body != nullptr) {
        if (use.change > 0) put(id, *use.body, use.change);
        continue;
      }
      run_.use_message.with(use.change, id).run();
      if (use.change < 0) run_.drop_message.with(id).run();
    }
  }

 private:
  void put(MessageId id, const Body& body, std::int64_t uses) {
    run_.put_message
        .with(id, std::string_view(body.topic), ByteView(body.properties), ByteView(body.payload),
              body.qos, body.retain, count_of(body.expires_at), uses)
        .run();
  }
  /// Every row that comes is a message with one use less.
  void unuse(Statement& statement) {
    while (statement.step()) --uses_[statement.as<MessageId>(0)].change;
  }
  /// 0 when there is no such session.
  std::int64_t known_id_of(const auto& change) const {
    const auto known = session_ids_.find(change.client_id);
    return known == session_ids_.end() ? 0 : known->second;
  }
  std::int64_t id_of(const auto& change) const {
    const auto id = known_id_of(change);
    MQ_CHECK(id != 0);
    return id;
  }

  Statements& run_;
  QueueCommitter& queues_;
  TextMap<std::int64_t>& session_ids_;
  MessageUses uses_;
};

Committer::Committer(const Database& database)
    : database_(database), statements_(std::make_unique<Statements>(database)), queues_(database) {
  read_session_ids();
}

Committer::~Committer() = default;

std::int64_t Committer::id_of(std::string_view client_id) const {
  const auto known = session_ids_.find(client_id);
  return known == session_ids_.end() ? 0 : known->second;
}

void Committer::read_session_ids() {
  TextMap<std::int64_t> ids;
  Statement row = database_.prepare("SELECT client_id, id FROM session");
  while (row.step()) ids[std::string(row.text(0))] = row.number(1);
  session_ids_ = std::move(ids);
  is_in_step_ = true;
}

void Committer::commit(const Batch& batch) {
  const auto is_void = annihilated(batch.changes);
  const auto has_effect = [&](std::size_t i) {
    return !is_void[i] && !std::holds_alternative<PutMessage>(batch.changes[i]);
  };
  std::size_t first = 0;
  while (first < is_void.size() && !has_effect(first)) ++first;
  if (first == is_void.size()) return;
  if (!is_in_step_) read_session_ids();
  is_in_step_ = false;
  statements_->begin.with().run();
  try {
    Transaction transaction(*statements_, queues_, session_ids_);
    for (std::size_t i = 0; i < batch.changes.size(); ++i) {
      if (!is_void[i]) std::visit(transaction, batch.changes[i]);
    }
    transaction.finish();
    statements_->commit.with().run();
  } catch (const DatabaseError&) {
    // SQLite has rolled back by itself after some failures: then there is nothing to roll back.
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
  is_in_step_ = true;
}

}  // namespace mq::storage
