#include "storage/mosquitto_db.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

// The file is a header and then chunks: a kind, a length, fields of fixed size, then the texts
// whose lengths the fields tell. Most numbers are big-endian; the ids of messages and the times are
// as the machine has them, for the file is not meant to travel.

namespace mq::storage {
namespace {

constexpr std::string_view kBeginning("\0\xB5\0mosquitto db", 15);
constexpr std::size_t kHeader = kBeginning.size() + 8;  // then a checksum and the version
constexpr std::uint32_t kNever = UINT32_MAX;
constexpr std::uint64_t kPacketIds = 65'535;

enum Chunk : std::uint32_t { kConfig = 1, kMessage, kQueued, kRetained, kSubscription, kClient };

/// States of a message that is on its way, as far as they matter here.
enum State : std::uint8_t { kResendPubrel = 6, kWaitForPubcomp = 9, kWaitsInQueue = 11 };

/// Thrown and caught in this file.
struct Cut {};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) throw Cut{};
    const auto taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  template <class T>
  T number() {
    return std::endian::native == std::endian::little ? std::byteswap(native<T>()) : native<T>();
  }
  template <class T>
  T native() {
    T value{};
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)[0]); }
  /// A variable byte integer (MQTT 5.0 §1.5.5).
  std::uint32_t varint() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
      const std::uint8_t next = byte();
      value |= (next & 0x7FU) << shift;
      if ((next & 0x80U) == 0) return value;
    }
    throw Cut{};
  }
  /// Properties with their length in front; nothing when the chunk ends here.
  std::vector<Byte> properties() {
    if (bytes_.empty()) return {};
    const auto text = take(varint());
    return {text.begin(), text.end()};
  }
  bool empty() const { return bytes_.empty(); }
  std::size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

std::vector<Byte> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

/// A time in seconds, 0 for none.
WallTime time_of(std::int64_t seconds) {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(Seconds(seconds)));
}

class Import {
 public:
  explicit Import(std::uint32_t version) : has_v6_fields_(version >= 6) {}

  void take(std::uint32_t kind, const Reader& chunk) {
    switch (kind) {
      case kMessage:
        return take_message(chunk);
      case kQueued:
        return take_queued(chunk);
      case kRetained:
        return take_retained(chunk);
      case kSubscription:
        return take_subscription(chunk);
      case kClient:
        return take_client(chunk);
      default:  // the configuration tells nothing that we need
        return;
    }
  }

  MosquittoState result() && {
    Snapshot& state = result_.state;
    std::erase_if(state.messages, [this](const auto& item) { return !used_.contains(item.first); });
    state.last_message = state.messages.empty() ? 0 : state.messages.rbegin()->first;
    return std::move(result_);
  }

 private:
  void take_message(Reader chunk) {
    const auto id = chunk.native<MessageId>();
    Body body;
    const auto expires_at = chunk.native<std::int64_t>();
    if (expires_at != 0) body.expires_at = time_of(expires_at);
    const auto payload_size = chunk.number<std::uint32_t>();
    chunk.number<std::uint16_t>();  // the packet id under which it came
    const auto source_size = chunk.number<std::uint16_t>();
    const auto user_size = chunk.number<std::uint16_t>();
    const auto topic_size = chunk.number<std::uint16_t>();
    chunk.number<std::uint16_t>();  // the port that it came to
    body.qos = chunk.byte();
    body.retain = chunk.byte() != 0;
    chunk.take(std::size_t{source_size} + user_size);
    body.topic = chunk.take(topic_size);
    body.payload = bytes_of(chunk.take(payload_size));
    body.properties = chunk.properties();
    numbers_.emplace(id, numbers_.size() + 1);
    result_.state.messages[numbers_[id]] = std::move(body);
  }

  void take_queued(Reader chunk) {
    const auto message = numbers_.find(chunk.native<MessageId>());
    const auto packet_id = chunk.number<std::uint16_t>();
    const auto id_size = chunk.number<std::uint16_t>();
    const auto qos = chunk.byte();
    const auto state = chunk.byte();
    const auto retain_and_dup = chunk.byte();
    const auto direction = chunk.byte();
    const std::string client_id(chunk.take(id_size));
    const std::uint32_t identifier = identifier_in(Reader(text_of(chunk.properties())));
    const auto session = result_.state.sessions.find(client_id);
    if (session == result_.state.sessions.end() || message == numbers_.end()) return;
    if (direction == 0) {
      ++result_.unreleased;
      return;
    }
    const bool is_released = state == kResendPubrel || state == kWaitForPubcomp;
    auto& next = next_sequence_[client_id];
    next = std::max<std::uint64_t>(next, 1);
    // What is on its way keeps its packet id, which follows from the sequence number.
    if (state != kWaitsInQueue && packet_id != 0) {
      next += (packet_id + kPacketIds - ((next - 1) % kPacketIds + 1)) % kPacketIds;
    }
    session->second.queue[next++] = {is_released ? 0 : message->second, qos,
                                     static_cast<std::uint8_t>(retain_and_dup >> 4U & 1U),
                                     identifier};
    if (!is_released) used_.insert(message->second);
  }

  /// The subscription identifier (MQTT 5.0 §3.3.2.3.8) that stands alone there; 0: none.
  static std::uint32_t identifier_in(Reader properties) {
    if (properties.empty() || properties.byte() != 0x0B) return 0;
    return properties.varint();
  }

  void take_retained(Reader chunk) {
    const auto message = numbers_.find(chunk.native<MessageId>());
    if (message == numbers_.end()) return;
    used_.insert(message->second);
    const Body& body = result_.state.messages[message->second];
    result_.state.retained[body.topic] = {message->second, body.expires_at, {}};
  }

  void take_subscription(Reader chunk) {
    const auto identifier = chunk.number<std::uint32_t>();
    const auto id_size = chunk.number<std::uint16_t>();
    const auto topic_size = chunk.number<std::uint16_t>();
    const auto qos = chunk.byte();
    const auto options = chunk.byte();
    chunk.take(2);
    const std::string client_id(chunk.take(id_size));
    const std::string filter(chunk.take(topic_size));
    const auto session = result_.state.sessions.find(client_id);
    if (session == result_.state.sessions.end()) return;
    const auto kept = static_cast<std::uint8_t>((options & 0x0CU) | (qos & 3U));
    session->second.subscriptions[filter] = {identifier, kept};
  }

  void take_client(Reader chunk) {
    Snapshot::Session session;
    const auto expires_at = chunk.native<std::int64_t>();
    session.expiry_interval = chunk.number<std::uint32_t>();
    chunk.number<std::uint16_t>();  // the last packet id
    const auto id_size = chunk.number<std::uint16_t>();
    if (has_v6_fields_) chunk.take(8);  // the port, the size of the user's name, and nothing
    const std::string client_id(chunk.take(id_size));
    if (session.expiry_interval == 0) return;
    if (session.expiry_interval != kNever && expires_at > 0) {
      session.asleep_since = time_of(expires_at - session.expiry_interval);
    }
    result_.state.sessions.emplace(client_id, std::move(session));
  }

  bool has_v6_fields_;
  MosquittoState result_;
  std::map<MessageId, MessageId> numbers_;  ///< from theirs to ours, 1, 2, 3 …
  std::set<MessageId> used_;
  std::map<std::string, std::uint64_t> next_sequence_;  ///< by client id
};

}  // namespace

bool is_mosquittos(const std::string& path) {
  std::array<char, kBeginning.size()> found{};
  std::ifstream file(path, std::ios::binary);
  file.read(found.data(), found.size());
  return file && std::string_view(found.data(), found.size()) == kBeginning;
}

std::expected<MosquittoState, Error> read_mosquitto_db(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  if (!file || content.size() < kHeader) {
    return std::unexpected(Error{path + ": cannot be read, or is too short"});
  }
  Reader reader(content);
  reader.take(kHeader - 4);
  const auto version = reader.number<std::uint32_t>();
  if (version != 5 && version != 6) {
    return std::unexpected(Error{path + " is mosquitto's in format " + std::to_string(version) +
                                 ", and formats 5 and 6 can be read: start mosquitto 2.0 with it "
                                 "once"});
  }
  Import import(version);
  std::size_t at = content.size();
  try {
    while (!reader.empty()) {
      at = content.size() - reader.left();
      const auto kind = reader.number<std::uint32_t>();
      const auto size = reader.number<std::uint32_t>();
      import.take(kind, Reader(reader.take(size)));
    }
  } catch (const Cut&) {
    return std::unexpected(
        Error{path + ": the part at byte " + std::to_string(at) + " is cut off or damaged"});
  }
  return std::move(import).result();
}

}  // namespace mq::storage
