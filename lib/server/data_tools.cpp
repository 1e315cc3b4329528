#include "server/data_tools.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <variant>

#include "storage/inspect.hpp"
#include "wire/utf8.hpp"

namespace mq::server {
namespace {

using Json = nlohmann::ordered_json;

/// What cannot be written is remembered by `out`.
void print(const Json& json, std::FILE* out) {
  const std::string line = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::fwrite(line.data(), 1, line.size(), out);
}

std::string hex_of(ByteView bytes) {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

/// Text as it is, anything else in hexadecimal under a name that says so.
void add_payload(Json& json, ByteView payload) {
  if (wire::is_utf8(payload)) {
    json["payload"] = text_of(payload);
  } else {
    json["payload_hex"] = hex_of(payload);
  }
}

void add_properties(Json& json, ByteView properties) {
  if (!properties.empty()) json["properties_hex"] = hex_of(properties);
}

/// Seconds since 1970; null for `none`.
Json seconds_of(WallTime time, WallTime none) {
  if (time == none) return nullptr;
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

Json expiry_of(std::uint32_t seconds) {
  if (seconds == UINT32_MAX) return nullptr;
  return seconds;
}

struct Describe {
  Json operator()(const storage::PutSession& c) const {
    return {{"kind", "session"},
            {"client_id", c.client_id},
            {"expiry_interval", expiry_of(c.expiry_interval)},
            {"asleep_since", seconds_of(c.asleep_since, storage::kAwake)},
            {"fresh_from", c.fresh_from == storage::kAnythingSent ? Json() : Json(c.fresh_from)}};
  }
  Json operator()(const storage::PutWill& c) const {
    Json json{{"kind", "will"},    {"client_id", c.client_id}, {"topic", c.will.topic},
              {"qos", c.will.qos}, {"retain", c.will.retain},  {"delay", c.will.delay.count()}};
    add_payload(json, c.will.payload);
    add_properties(json, c.will.properties);
    return json;
  }
  Json operator()(const storage::PutSubscription& c) const {
    return {{"kind", "subscription"},
            {"client_id", c.client_id},
            {"filter", c.filter},
            {"identifier", c.identifier},
            {"options", c.options}};
  }
  Json operator()(const storage::PutMessage& c) const {
    Json json{{"kind", "message"},
              {"message", c.id},
              {"topic", c.body.topic},
              {"qos", c.body.qos},
              {"retain", c.body.retain},
              {"expires_at", seconds_of(c.body.expires_at, storage::kDoesNotExpire)}};
    add_payload(json, c.body.payload);
    add_properties(json, c.body.properties);
    return json;
  }
  Json operator()(const storage::PutQueued& c) const {
    return {{"kind", "queued"},       {"client_id", c.client_id},
            {"sequence", c.sequence}, {"message", c.message == 0 ? Json(nullptr) : Json(c.message)},
            {"qos", c.qos},           {"retain", c.flags != 0},
            {"identifier", c.origin}};
  }
  Json operator()(const storage::PutIncoming& c) const {
    return {{"kind", "incoming"}, {"client_id", c.client_id}, {"packet_id", c.packet_id}};
  }
  Json operator()(const storage::PutRetained& c) const {
    Json json{{"kind", "retained"}, {"topic", c.topic}, {"message", c.message}};
    if (c.source.client_id.empty()) return json;
    json["publisher"] = {{"listener", c.source.listener},
                         {"user_name", c.source.user_name},
                         {"client_id", c.source.client_id}};
    return json;
  }
  Json operator()(const auto&) const { return nullptr; }  // a file holds nothing else
};

}  // namespace

std::expected<bool, Error> print_faults(const std::string& path, std::FILE* out) {
  const auto faults = storage::verify(path);
  if (!faults) return std::unexpected(faults.error());
  print({{"ok", faults->empty()}, {"faults", *faults}}, out);
  return faults->empty();
}

std::expected<void, Error> print_stats(const std::string& path, std::FILE* out) {
  const auto stats = storage::stats_of(path);
  if (!stats) return std::unexpected(stats.error());
  std::size_t subscriptions = 0;
  std::size_t queued = 0;
  std::size_t queued_bytes = 0;
  for (const auto& session : stats->sessions) {
    subscriptions += session.subscriptions;
    queued += session.queued;
    queued_bytes += session.queued_bytes;
  }
  print({{"sessions", stats->sessions.size()},
         {"subscriptions", subscriptions},
         {"queued", queued},
         {"queued_bytes", queued_bytes},
         {"retained", stats->retained},
         {"messages", stats->messages},
         {"message_bytes", stats->message_bytes},
         {"file_bytes", stats->file_bytes}},
        out);
  for (const auto& session : stats->sessions) {
    print({{"client_id", session.client_id},
           {"expiry_interval", expiry_of(session.expiry_interval)},
           {"asleep_since", seconds_of(session.asleep_since, storage::kAwake)},
           {"subscriptions", session.subscriptions},
           {"queued", session.queued},
           {"queued_bytes", session.queued_bytes}},
          out);
  }
  return {};
}

std::expected<void, Error> print_all(const std::string& path, std::FILE* out) {
  return storage::dump(
      path, [out](const storage::Change& change) { print(std::visit(Describe{}, change), out); });
}

}  // namespace mq::server
