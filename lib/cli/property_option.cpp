#include "cli/property_option.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

#include "base/nearest.hpp"
#include "cli/number.hpp"
#include "wire/fault.hpp"
#include "wire/faults.hpp"
#include "wire/property_reader.hpp"

namespace mq::cli {

namespace {

using wire::PacketType;
using wire::PropertyId;
using wire::PropertyRow;
using wire::PropertyType;

constexpr std::size_t kTextMax = 65'535;

struct Command {
  std::string_view name;
  std::uint16_t place;
  wire::PropertyList PropertyLists::* list;
};

constexpr std::array kCommands = {
    Command{"connect", in(PacketType::connect), &PropertyLists::connect},
    Command{"publish", in(PacketType::publish), &PropertyLists::publish},
    Command{"subscribe", in(PacketType::subscribe), &PropertyLists::subscribe},
    Command{"unsubscribe", in(PacketType::unsubscribe), &PropertyLists::unsubscribe},
    Command{"disconnect", in(PacketType::disconnect), &PropertyLists::disconnect},
    Command{"will", wire::kInWill, &PropertyLists::will},
};

std::vector<std::string_view> cut(std::string_view joined) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = joined.find(kJoint);
    parts.push_back(joined.substr(0, end));
    if (end == joined.npos) return parts;
    joined.remove_prefix(end + 1);
  }
}

const Command* find_command(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto* found = std::ranges::find(kCommands, lower, &Command::name);
  return found == kCommands.end() ? nullptr : found;
}

/// A server's publish may carry the identifiers of subscriptions, a client's may not.
/// [MQTT-3.3.4-6]
bool may_carry(const Command& command, const PropertyRow& row) {
  if (row.id == PropertyId::subscription_identifier && command.name == "publish") return false;
  return (row.places & command.place) != 0;
}

std::string unknown_name(std::string_view name) {
  std::vector<std::string_view> names;
  for (const PropertyRow& row : wire::property_table()) names.push_back(row.name);
  const std::string_view meant = nearest(name, names);
  if (meant.empty()) return fmt::format("there is no property {}", name);
  return fmt::format("there is no property {}; did you mean {}?", name, meant);
}

std::uint32_t largest(PropertyType type) {
  constexpr std::uint32_t kVarintMax = 268'435'455;
  switch (type) {
    case PropertyType::byte:
      return 1;
    case PropertyType::two_bytes:
      return std::numeric_limits<std::uint16_t>::max();
    case PropertyType::varint:
      return kVarintMax;
    default:
      return std::numeric_limits<std::uint32_t>::max();
  }
}

Verdict add_value(const PropertyRow& row, std::string_view value, wire::PropertyList& out) {
  switch (row.type) {
    case PropertyType::text:
    case PropertyType::binary:
      if (value.size() > kTextMax) return wrong("must not be longer than 65535 bytes");
      if (row.type == PropertyType::text) {
        out.add(row.id, value);
      } else {
        out.add(row.id, bytes_of(value));
      }
      return {};
    default: {
      const auto number = parse_number<std::uint32_t>(value, 0, largest(row.type));
      if (!number) return wrong(fmt::format("must be a number from 0 to {}", largest(row.type)));
      out.add(row.id, *number);
      return {};
    }
  }
}

Verdict add_to(wire::PropertyList& list, const PropertyRow& row,
               std::span<const std::string_view> values, std::uint16_t place) {
  wire::PropertyList added;
  if (row.type == PropertyType::pair) {
    if (std::max(values.front().size(), values.back().size()) > kTextMax) {
      return wrong("must not be longer than 65535 bytes");
    }
    added.add_user(values.front(), values.back());
  } else if (const Verdict verdict = add_value(row, values.front(), added); !verdict) {
    return verdict;
  }
  wire::PropertyList all = list;
  all.add_encoded(added.view().encoded());
  // [MQTT-1.5.7-1] [MQTT-3.3.2-13] [MQTT-3.3.2-14] [MQTT-3.3.2-19]
  const wire::Fault* fault = wire::properties_fault(all.view().encoded(), place);
  // The method may stand behind the data: check() looks again.
  if (fault != nullptr && fault != &wire::fault::kNoAuthenticationMethod)
    return wrong(fault->words);
  list = std::move(all);
  return {};
}

}  // namespace

Verdict add_property(PropertyLists& lists, std::string_view joined) {
  const auto parts = cut(joined);
  const Command* command = find_command(parts[0]);
  if (command == nullptr) {
    return wrong(
        "must begin with connect, publish, subscribe, unsubscribe, disconnect or will, the packet "
        "that is to carry the property");
  }
  const PropertyRow* row = wire::find_property(parts[1]);
  if (row == nullptr) return std::unexpected(unknown_name(parts[1]));
  if (!may_carry(*command, *row)) {
    return wrong(fmt::format("{} does not go with {}", row->name, command->name));
  }
  wire::PropertyList scratch;
  const bool is_ours = row->id == PropertyId::topic_alias;
  wire::PropertyList& list = is_ours ? scratch : lists.*command->list;
  return add_to(list, *row, std::span(parts).subspan(2), command->place);
}

Verdict check(const PropertyLists& lists) {
  const wire::Fault* fault =
      wire::properties_fault(lists.connect.view().encoded(), in(PacketType::connect));
  if (fault == nullptr) return {};
  return wrong(fmt::format("-D connect: {}", fault->words));
}

}  // namespace mq::cli
