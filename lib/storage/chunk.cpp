#include "storage/chunk.hpp"

#include <algorithm>
#include <concepts>
#include <limits>
#include <string>

#include "storage/database.hpp"

namespace mq::storage {
namespace {

/// Who reads a page of a queue reads whole chunks, so they are not to be much larger.
constexpr std::size_t kMostEntries = 500;
constexpr std::size_t kEnoughBytes = 128 * 1024;
/// Of an entry as it is written.
constexpr std::size_t kEntrySize = 26;
/// Of what is in front of a body's topic.
constexpr std::size_t kBodyHeadSize = 16;

/// Least significant byte first. Returns where the next may be put.
template <std::unsigned_integral T>
Byte* put(Byte* out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out[i] = static_cast<Byte>(value >> (8 * i));
  return out + sizeof(T);
}

/// Makes room for so many bytes at the end, and returns where they are.
Byte* grow(std::vector<Byte>& bytes, std::size_t size) {
  bytes.resize(bytes.size() + size);
  return bytes.data() + bytes.size() - size;
}

[[noreturn]] void fail() {
  throw DatabaseError{SQLITE_CORRUPT, "a chunk of a queue makes no sense"};
}

/// Takes bytes apart, and fails where they end too soon.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  template <std::unsigned_integral T>
  T number() {
    T value = 0;
    const ByteView bytes = take(sizeof(T));
    for (std::size_t i = 0; i < sizeof(T); ++i) value |= static_cast<T>(T{bytes[i]} << (8 * i));
    return value;
  }
  ByteView take(std::size_t size) {
    if (size > rest_.size()) fail();
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
};

std::vector<Byte> copy_of(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

void ChunkSums::add(const ChunkEntry& entry) {
  if (entry.fate != Fate::gone) ++messages;
  if (entry.fate != Fate::owed) return;
  bytes += entry.size;
  newest = std::max(newest, entry.message);
}

ChunkSums ChunkSums::of(const std::vector<ChunkEntry>& entries) {
  ChunkSums sums;
  for (const ChunkEntry& entry : entries) sums.add(entry);
  return sums;
}

bool Chunk::has_room_for(std::uint64_t sequence) const {
  return is_empty() ||
         (entries_.size() < kMostEntries * kEntrySize && bodies_.size() < kEnoughBytes &&
          sequence - first_ <= std::numeric_limits<std::uint32_t>::max());
}

void Chunk::add(ChunkEntry entry, const Body* own) {
  if (is_empty()) first_ = entry.sequence;
  last_ = entry.sequence;
  entry.fate = entry.message == 0 ? Fate::released : Fate::owed;
  entry.body_size = own == nullptr ? 0 : put_body(*own);
  Byte* out = grow(entries_, kEntrySize);
  out = put(out, static_cast<std::uint32_t>(entry.sequence - first_));
  out = put(out, entry.message);
  out = put(out, entry.origin);
  out = put(out, entry.size);
  out = put(out, entry.body_size);
  out = put(out, entry.qos);
  put(out, entry.flags);
  sums_.add(entry);
}

std::uint32_t Chunk::put_body(const Body& body) {
  const std::size_t size =
      kBodyHeadSize + body.topic.size() + body.properties.size() + body.payload.size();
  Byte* out = grow(bodies_, size);
  out = put(out, static_cast<std::uint64_t>(body.expires_at.time_since_epoch().count()));
  out = put(out, static_cast<std::uint32_t>(body.properties.size()));
  out = put(out, static_cast<std::uint16_t>(body.topic.size()));
  out = put(out, body.qos);
  out = put(out, std::uint8_t{body.retain});
  out = copy_bytes(bytes_of(body.topic), out);
  out = copy_bytes(body.properties, out);
  copy_bytes(body.payload, out);
  return static_cast<std::uint32_t>(size);
}

void Chunk::clear() {
  sums_ = {};
  entries_.clear();
  bodies_.clear();
}

std::vector<ChunkEntry> entries_of(std::uint64_t first, ByteView entries, ByteView fates) {
  const std::size_t count = entries.size() / kEntrySize;
  if (count * kEntrySize != entries.size() || (!fates.empty() && fates.size() != count)) fail();
  std::vector<ChunkEntry> result(count);
  Reader reader(entries);
  std::size_t body_at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    ChunkEntry& entry = result[i];
    entry.sequence = first + reader.number<std::uint32_t>();
    entry.message = reader.number<std::uint64_t>();
    entry.origin = reader.number<std::uint32_t>();
    entry.size = reader.number<std::uint32_t>();
    entry.body_size = reader.number<std::uint32_t>();
    entry.qos = reader.number<std::uint8_t>();
    entry.flags = reader.number<std::uint8_t>();
    entry.body_at = body_at;
    body_at += entry.body_size;
    entry.fate = entry.message == 0 ? Fate::released : Fate::owed;
    if (fates.empty()) continue;
    if (fates[i] > static_cast<Byte>(Fate::gone)) fail();
    entry.fate = static_cast<Fate>(fates[i]);
  }
  if (!std::ranges::is_sorted(result, {}, &ChunkEntry::sequence)) fail();
  return result;
}

Body body_of(const ChunkEntry& entry, ByteView bodies) {
  if (entry.body_at > bodies.size() || entry.body_size > bodies.size() - entry.body_at) fail();
  Reader reader(bodies.subspan(entry.body_at, entry.body_size));
  Body body;
  body.expires_at =
      WallTime(WallTime::duration(static_cast<std::int64_t>(reader.number<std::uint64_t>())));
  const std::size_t properties_size = reader.number<std::uint32_t>();
  const std::size_t topic_size = reader.number<std::uint16_t>();
  body.qos = reader.number<std::uint8_t>();
  body.retain = reader.number<std::uint8_t>() != 0;
  body.topic = text_of(reader.take(topic_size));
  body.properties = copy_of(reader.take(properties_size));
  body.payload = copy_of(reader.rest());
  return body;
}

}  // namespace mq::storage
