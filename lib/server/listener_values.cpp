#include "server/listener_values.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "base/printable.hpp"
#include "topic/name.hpp"
#include "web/origin.hpp"

namespace mq::server {

Objection set_protocol(ConfigDraft& draft, std::string_view value) {
  if (value == "http_api") return "http_api is not in this version of mqbroker";
  if (value != "mqtt" && value != "websockets") return rejected(value, "mqtt or websockets");
  draft.listener().where.is_websocket = value == "websockets";
  return {};
}

Objection set_interface(ConfigDraft& draft, std::string_view value) {
  if (value.size() >= IF_NAMESIZE) return rejected(value, "a network interface, such as eth0");
  draft.listener().where.interface = value;
  return {};
}

Objection set_max_connections(ConfigDraft& draft, std::string_view value) {
  const auto number = value == "-1" ? std::optional<std::uint64_t>(0) : number_of(value);
  if (!number) return rejected(value, "a number, or -1 for any");
  draft.listener().where.connections_max = *number;
  return {};
}

Objection set_socket_mode(ConfigDraft& draft, std::string_view value) {
  std::uint32_t mode = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), mode, 8);
  if (code != std::errc() || end != value.data() + value.size() || mode > 0777) {
    return rejected(value, "an octal number, such as 0660");
  }
  draft.listener().where.socket_mode = mode;
  return {};
}

Objection set_socket_group(ConfigDraft& draft, std::string_view value) {
  const std::string name(value);
  const group* known = getgrnam(name.c_str());
  if (known == nullptr) return fmt::format("there is no group \"{}\"", printable(value));
  draft.listener().where.socket_group = known->gr_gid;
  return {};
}

Objection set_mount_point(ConfigDraft& draft, std::string_view value) {
  constexpr std::size_t kLongest = 1000;
  if (!topic::is_name(value) || value.starts_with('$') || value.size() > kLongest) {
    return rejected(value, "the beginning of a topic, without + and #, such as house/");
  }
  draft.listener().limits.mount_point = value;
  return {};
}

Objection set_versions(ConfigDraft& draft, std::string_view value) {
  constexpr std::array<std::pair<std::string_view, wire::Version>, 3> kVersions{
      {{"3", wire::Version::v31}, {"4", wire::Version::v311}, {"5", wire::Version::v5}}};
  auto& versions = draft.listener().limits.versions;
  versions.clear();
  for (std::string_view rest = value; !rest.empty();) {
    const auto comma = std::min(rest.find(','), rest.size());
    std::string_view item = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const std::string_view word = next_word(item);
    const auto* known =
        std::ranges::find(kVersions, word, &std::pair<std::string_view, wire::Version>::first);
    if (known == kVersions.end() || !next_word(item).empty()) {
      return rejected(value, "some of 3,4,5, which are MQTT 3.1, 3.1.1 and 5.0");
    }
    if (std::ranges::find(versions, known->second) == versions.end()) {
      versions.push_back(known->second);
    }
  }
  if (versions.size() == kVersions.size()) versions.clear();  // all, as by default
  return {};
}

Objection set_proxy_protocol(ConfigDraft& draft, std::string_view value) {
  if (value != "1" && value != "2") return rejected(value, "the version of the protocol, 1 or 2");
  draft.listener().where.proxy.version = value == "1" ? 1 : 2;
  return {};
}

Objection add_websockets_origin(ConfigDraft& draft, std::string_view value) {
  if (value == "*") return "\"*\" is none: leave the option out to let pages from everywhere in";
  auto origin = web::origin_of(value);
  if (!origin) {
    const std::string_view without_end = value.substr(0, value.size() - 1);
    if (value.ends_with('/') && web::origin_of(without_end)) {
      return rejected(value, fmt::format("{}: leave off the slash", printable(without_end)));
    }
    return rejected(value, "scheme, host and port of the pages, such as https://example.org");
  }
  draft.listener().where.web.origins.push_back(*std::move(origin));
  return {};
}

}  // namespace mq::server
