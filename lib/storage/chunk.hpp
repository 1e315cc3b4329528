#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "storage/change.hpp"

/// A stretch of one session's queue: what a batch puts there is one row, not a row for each
/// message. FORMAT.md says how it is laid out.
namespace mq::storage {

/// What has become of a message of a chunk.
enum class Fate : Byte { owed = 0, released = 1, gone = 2 };

/// A message of a chunk.
struct ChunkEntry {
  std::uint64_t sequence = 0;
  MessageId message = 0;
  std::uint32_t origin = 0;
  std::uint32_t size = 0;  ///< bytes of payload
  std::uint8_t qos = 0;
  std::uint8_t flags = 0;
  std::uint32_t body_size = 0;  ///< 0: the body is in the table message
  std::size_t body_at = 0;      ///< in the chunk's bodies
  Fate fate = Fate::owed;

  bool has_own_body() const { return body_size != 0; }
  /// Whether a row of the table message is there for it, too.
  bool uses_message() const { return fate == Fate::owed && !has_own_body(); }
};

/// What is left of a chunk.
struct ChunkSums {
  std::uint64_t messages = 0;  ///< that are not gone
  std::uint64_t bytes = 0;     ///< of payloads that are owed
  MessageId newest = 0;        ///< the highest that is owed

  void add(const ChunkEntry& entry);
  static ChunkSums of(const std::vector<ChunkEntry>& entries);
  bool operator==(const ChunkSums&) const = default;
};

/// A chunk in the making.
class Chunk {
 public:
  /// Whether the next message, of this sequence number, may be in it: otherwise it would be a
  /// burden to read.
  bool has_room_for(std::uint64_t sequence) const;
  bool is_empty() const { return entries_.empty(); }

  /// In the order of the sequence numbers. Without a message it is released. Body and fate are not
  /// looked at.
  ///
  /// own  its body, where nobody else has a use for that; nullptr: it is in the table message
  void add(ChunkEntry entry, const Body* own);
  /// Becomes empty, and keeps its memory.
  void clear();

  std::uint64_t first() const { return first_; }
  std::uint64_t last() const { return last_; }
  const ChunkSums& sums() const { return sums_; }
  ByteView entries() const { return entries_; }
  ByteView bodies() const { return bodies_; }

 private:
  /// Returns how many bytes it takes.
  std::uint32_t put_body(const Body& body);

  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
  ChunkSums sums_;
  std::vector<Byte> entries_;
  std::vector<Byte> bodies_;
};

/// Reads the column `entries` of a chunk, and what has become of them.
///
/// fates   by entry; empty: those without a message are released, and the others owed
/// Throws  DatabaseError, for content that makes no sense
std::vector<ChunkEntry> entries_of(std::uint64_t first, ByteView entries, ByteView fates);

/// The body of an entry that has its own.
///
/// bodies  the chunk's column
/// Throws  DatabaseError, likewise
Body body_of(const ChunkEntry& entry, ByteView bodies);

}  // namespace mq::storage
