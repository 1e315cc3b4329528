#include "server/log_lines.hpp"

#include <fmt/format.h>

#include <variant>

#include "base/printable.hpp"
#include "wire/reason_code.hpp"

namespace mq::server {
namespace {

using broker::Drop;
using broker::fact::Act;
using broker::fact::Connected;
using broker::fact::Denied;
using broker::fact::Dropped;
using broker::fact::End;
using broker::fact::Ended;
using broker::fact::Refused;
using broker::fact::Subscribed;
using broker::fact::Unread;
using broker::fact::Unsubscribed;
using wire::PacketType;
using wire::ReasonCode;

template <class... Cases>
struct Match : Cases... {
  using Cases::operator()...;
};

/// As mosquitto counts them, which makes 3.1.1 its second.
int protocol_number(wire::Version version) {
  switch (version) {
    case wire::Version::v31:
      return 1;
    case wire::Version::v311:
      return 2;
    case wire::Version::v5:
      break;
  }
  return 5;
}

/// The client id, or what else is known of who it was.
std::string who(std::string_view client_id, std::string_view peer) {
  if (!client_id.empty()) return fmt::format("Client {}", as_word(client_id));
  if (!peer.empty()) return fmt::format("Client at {}", peer);
  return "Client <unknown>";
}

/// "Malformed Packet: QoS 3 [MQTT-3.3.1-4]", and the option that sets the limit.
std::string words_of(const wire::Fault& fault) {
  std::string words(wire::name(fault.reason, PacketType::disconnect));
  if (*fault.words != '\0') words += fmt::format(": {}", fault.words);
  if (*fault.statement != '\0') words += fmt::format(" [{}]", fault.statement);
  const bool is_ours = *fault.statement == '\0';
  if (fault.reason == ReasonCode::packet_too_large && is_ours) words += " (see max_packet_size)";
  return words;
}

std::string line_of(const Connected& fact, std::string_view peer) {
  const std::string user =
      fact.user_name.empty() ? "" : fmt::format(", u'{}'", as_word(fact.user_name));
  return fmt::format("New client connected from {} as {} (p{}, c{}, k{}{}).", peer,
                     as_word(fact.client_id), protocol_number(fact.version),
                     fact.clean_start ? 1 : 0, fact.keep_alive, user);
}

std::string line_of(const Refused& fact, std::string_view peer) {
  const std::string id =
      fact.client_id.empty() ? "" : fmt::format(" as {}", as_word(fact.client_id));
  const std::string user =
      fact.user_name.empty() ? "" : fmt::format(" (user {})", as_word(fact.user_name));
  return fmt::format("Client from {}{}{} refused: {}.", peer, id, user, words_of(fact.fault));
}

std::string line_of(const Ended& fact, std::string_view peer) {
  std::string client = who(fact.client_id, peer);
  switch (fact.end) {
    case End::disconnected:
      if (fact.fault.reason == ReasonCode::normal_disconnection) return client + " disconnected.";
      return fmt::format("{} disconnected: {}.", client, words_of(fact.fault));
    case End::closed:
      return client + " closed its connection.";
    case End::timed_out:
      return client + " has exceeded timeout, disconnecting.";
    case End::no_connect:
      return client + " sent no CONNECT in time (see connect_timeout), disconnecting.";
    case End::too_slow:
      return client + " took too long to send a packet (see packet_timeout), disconnecting.";
    case End::too_many:
      return client + " disconnected: there are global_max_connections connections already.";
    case End::taken_over:
      return client + " disconnected: session taken over.";
    case End::fault:
      return fmt::format("{} disconnected: {}.", client, words_of(fact.fault));
    case End::broken:
      return fmt::format("{} disconnected: {}.", client, printable(fact.words));
    case End::refused:
      return client + " disconnected: refused.";
    case End::expelled:
      return client + " disconnected: it may not come in any more.";
    case End::shutting_down:
      return client + " disconnected: the broker is shutting down.";
  }
  return client;
}

std::string line_of(const Subscribed& fact, std::string_view) {
  return fmt::format("{} {} {}", as_word(fact.client_id), static_cast<int>(fact.qos),
                     as_word(fact.filter));
}

std::string line_of(const Unsubscribed& fact, std::string_view) {
  return fmt::format("{} {}", as_word(fact.client_id), as_word(fact.filter));
}

std::string_view words_of(Drop reason) {
  switch (reason) {
    case Drop::queue_full:
      return "its queue is full (max_queued_messages, max_queued_bytes, queue_policy)";
    case Drop::unread:
      return "it reads too slowly (max_unread_bytes, global_max_unread_bytes, memory_limit)";
    case Drop::expired:
      return "the message expired";
    case Drop::too_large:
      return "the message is larger than the client accepts";
    case Drop::denied:
      return "the client may not read what waited for it (acl_file)";
    case Drop::unreadable:
      return "the store has lost the message; started anew, the broker saves what can be read";
    case Drop::size_limit:
      return "the payload is too long (message_size_limit)";
    case Drop::memory:
      return "too much memory is in use (memory_limit)";
    case Drop::unstorable:
      return "it was to be retained, and nothing can be stored just now (persistence)";
    case Drop::left_behind:
      break;
  }
  return "its session ended before they could go to others of its share";
}

std::string line_of(const Dropped& fact, std::string_view) {
  return fmt::format("Dropped {} for client {}: {}.",
                     fact.count == 1 ? "a message" : fmt::format("{} messages", fact.count),
                     as_word(fact.client_id), words_of(fact.reason));
}

std::string line_of(const Unread& fact, std::string_view peer) {
  return fmt::format(
      "{} had sent {} bytes that are lost: they were not read in time "
      "(see max_publish_rate, max_bytes_rate, max_unread_bytes, max_unstored_bytes).",
      who(fact.client_id, peer), fact.bytes);
}

std::string_view words_of(Act act) {
  switch (act) {
    case Act::publish:
      return "publish to";
    case Act::will:
      return "leave a will on";
    case Act::subscribe:
      return "subscribe to";
    case Act::read:
      break;
  }
  return "be sent";
}

std::string line_of(const Denied& fact, std::string_view) {
  const std::string user =
      fact.user_name.empty() ? "anonymous" : fmt::format("user {}", as_word(fact.user_name));
  const std::string why = fact.line == 0
                              ? fmt::format("no rule of {} allows it", printable(fact.file))
                              : fmt::format("{}:{}", printable(fact.file), fact.line);
  const std::string others =
      fact.untold == 0 ? "" : fmt::format(", and {} more before it", fact.untold);
  return fmt::format("Denied: client {} ({}) may not {} {}: {}{}.", as_word(fact.client_id), user,
                     words_of(fact.act), as_word(fact.topic), why, others);
}

}  // namespace

LogType type_of(const broker::Fact& fact) {
  return std::visit(Match{[](const Subscribed&) { return LogType::subscribe; },
                          [](const Unsubscribed&) { return LogType::unsubscribe; },
                          [](const Dropped&) { return LogType::warning; },
                          [](const Unread&) { return LogType::warning; },
                          [](const Denied& denied) {
                            // A subscription to more than one may read is no mistake.
                            return denied.act == Act::read ? LogType::debug : LogType::notice;
                          },
                          [](const Ended& ended) {
                            const bool is_told = ended.end == End::shutting_down;
                            return is_told ? LogType::debug : LogType::notice;
                          },
                          [](const auto&) { return LogType::notice; }},
                    fact);
}

bool is_told_already(const broker::Fact& fact) {
  const auto* ended = std::get_if<Ended>(&fact);
  return ended != nullptr && ended->end == End::refused;
}

bool tells_connection(const broker::Fact& fact) {
  if (std::holds_alternative<Connected>(fact)) return true;
  const auto* ended = std::get_if<Ended>(&fact);
  return ended != nullptr && ended->end != End::fault && ended->end != End::broken;
}

std::string line_of(const broker::Fact& fact, std::string_view peer) {
  return std::visit([peer](const auto& one) { return line_of(one, peer); }, fact);
}

std::string opened_line(std::string_view peer, std::string_view listener) {
  return fmt::format("New connection from {} on {}.", peer, listener);
}

}  // namespace mq::server
