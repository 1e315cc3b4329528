#include "storage/salvage.hpp"

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/chunk.hpp"
#include "storage/rows.hpp"

// What is asked for by its key is lost only where its own page is damaged; who reads on and on
// comes to an end at the first such page. So keys are gathered from wherever they can be read, from
// both ends, and what has a key is asked for one by one.

namespace mq::storage {
namespace {

class Salvager {
 public:
  Salvager(const Database& database, std::int64_t format, Salvaged& salvaged)
      : database_(database),
        format_(format),
        salvaged_(salvaged),
        loader_{salvaged.state},
        body_(database.prepare(kBody)) {}

  void load() {
    load_sessions();
    if (format_ < 3) {
      of_each_session(
          "SELECT session, sequence, message, qos, flags, origin FROM queued "
          "WHERE session = ? ORDER BY sequence",
          [this](Statement& row) { load_queue(row); });
    } else {
      load_chunks();
    }
    from_both_ends(format_ < 2 ? "SELECT topic, message, 0, 0, '', '' FROM retained ORDER BY topic"
                               : kAllRetained,
                   [this](Statement& row) { load_retained(row); });
  }

 private:
  using Keys = std::map<std::int64_t, std::size_t>;  ///< and how many messages go with one

  /// Returns whether it came to its end.
  template <class Work>
  static bool is_whole(const Work& work) {
    try {
      work();
      return true;
    } catch (const DatabaseError& error) {
      if (!error.is_damage()) throw;
      return false;
    }
  }
  /// Reads backwards, too, what does not come to its end.
  template <class Load>
  void from_both_ends(const std::string& sql, const Load& load) {
    for (const char* order : {"", " DESC"}) {
      Statement row = database_.prepare(sql + order);
      if (is_whole([&] { load(row); })) return;
    }
  }
  template <class Load>
  void of_each_session(const std::string& sql, const Load& load) {
    Statement forwards = database_.prepare(sql);
    Statement backwards = database_.prepare(sql + " DESC");
    for (const auto& [id, session] : loader_.sessions) {
      if (is_whole([&] { load(forwards.with(id)); })) continue;
      is_whole([&] { load(backwards.with(id)); });
    }
  }
  Keys keys(std::initializer_list<const char*> queries) {
    Keys found;
    for (const char* sql : queries) {
      from_both_ends(sql, [&found](Statement& row) {
        while (row.step()) found.emplace(row.number(0), row.as<std::size_t>(1));
      });
    }
    return found;
  }

  void load_sessions() {
    Statement row = database_.prepare(
        std::string("SELECT id, client_id, expiry_interval, asleep_since, ") +
        (format_ < 4 ? "9223372036854775807" : "fresh_from") + " FROM session WHERE id = ?");
    const Keys all =
        keys({"SELECT id, 0 FROM session INDEXED BY sqlite_autoindex_session_1 ORDER BY client_id",
              "SELECT id, 0 FROM session NOT INDEXED ORDER BY id"});
    for (const auto& [id, none] : all) is_whole([&] { loader_.load_sessions(row.with(id)); });
    of_each_session(
        "SELECT session, topic, properties, payload, qos, retain, delay FROM will "
        "WHERE session = ? ORDER BY session",
        [this](Statement& of) { loader_.load_wills(of); });
    of_each_session(
        "SELECT session, filter, identifier, options FROM subscription "
        "WHERE session = ? ORDER BY filter",
        [this](Statement& of) { loader_.load_subscriptions(of); });
    of_each_session("SELECT session, packet_id FROM incoming WHERE session = ? ORDER BY packet_id",
                    [this](Statement& of) { loader_.load_incoming(of); });
  }

  /// In the order in which they were written: a number that is used again is the later one's.
  void load_chunks() {
    Statement row =
        database_.prepare("SELECT session, first, entries, bodies FROM chunk WHERE id = ?");
    Statement progress = database_.prepare("SELECT fates FROM progress WHERE chunk = ?");
    const Keys all = keys({"SELECT id, messages FROM chunk INDEXED BY chunk_order ORDER BY session",
                           "SELECT id, messages FROM chunk NOT INDEXED ORDER BY id"});
    for (const auto& [id, messages] : all) {
      // Without it messages come again rather than not at all.
      std::vector<Byte> fates;
      is_whole([&] {
        if (progress.with(id).step()) fates = progress.copy(0);
      });
      const bool is_read = is_whole([&] {
        if (row.with(id).step()) load_chunk(row, fates);
      });
      if (!is_read) salvaged_.lost_queued += messages;
    }
  }
  void load_chunk(const Statement& row, const std::vector<Byte>& fates) {
    Snapshot::Session* session = loader_.find(row.number(0));
    if (session == nullptr) return;
    for (const ChunkEntry& entry : entries_of(row.as<std::uint64_t>(1), row.bytes(2), fates)) {
      if (entry.fate == Fate::gone) continue;
      if (entry.fate == Fate::owed && entry.has_own_body()) {
        is_whole(
            [&] { salvaged_.state.messages.emplace(entry.message, body_of(entry, row.bytes(3))); });
      }
      take_queued(*session, entry.sequence, queued_of(entry));
    }
  }
  /// In formats 1 and 2 every message of a queue is a row.
  void load_queue(Statement& row) {
    while (row.step()) {
      take_queued(*loader_.find(row.number(0)), row.as<std::uint64_t>(1),
                  {row.as<MessageId>(2), row.as<std::uint8_t>(3), row.as<std::uint8_t>(4),
                   row.as<std::uint32_t>(5)});
    }
  }
  void take_queued(Snapshot::Session& session, std::uint64_t sequence, Snapshot::Queued queued) {
    if (queued.message == 0 || has_body(queued.message)) {
      session.queue[sequence] = queued;
    } else {
      ++salvaged_.lost_queued;
    }
  }
  void load_retained(Statement& row) {
    while (row.step()) {
      auto retained = retained_of(row);
      if (!has_body(retained.message)) {
        ++salvaged_.lost_retained;
        continue;
      }
      retained.expires_at = salvaged_.state.messages.at(retained.message).expires_at;
      salvaged_.state.retained.emplace(row.text(0), std::move(retained));
    }
  }
  /// Reads it, unless it has been read.
  bool has_body(MessageId id) {
    auto& messages = salvaged_.state.messages;
    is_whole([&] {
      if (!messages.contains(id) && body_.with(id).step()) messages.emplace(id, body_in(body_));
    });
    body_.reset();
    return messages.contains(id);
  }

  const Database& database_;
  std::int64_t format_;
  Salvaged& salvaged_;
  RowLoader loader_;
  Statement body_;
};

}  // namespace

void load_some(const Database& database, std::int64_t format, Salvaged& salvaged) {
  Salvager(database, format, salvaged).load();
}

}  // namespace mq::storage
