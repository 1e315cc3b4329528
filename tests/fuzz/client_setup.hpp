#pragma once

#include <array>

#include "client/settings.hpp"
#include "script.hpp"

namespace mq::fuzz {

/// What the owner of the client's fuzzer chooses from.
inline client::Settings drawn_settings(Script& script) {
  using wire::PropertyId;
  constexpr wire::Version kVersions[] = {wire::Version::v5, wire::Version::v31, wire::Version::v311,
                                         wire::Version::v5};
  client::Settings settings;
  settings.version = script.one_of(kVersions);
  const bool is_v3 = settings.version != wire::Version::v5;
  const auto flags = script.byte();
  const auto more = script.byte();
  const auto properties = script.byte();
  settings.clean_start = (flags & 1U) == 0;
  if (settings.clean_start || (flags & 2U) == 0) settings.client_id = "me";
  constexpr std::array kClearings{client::Clearing::none, client::Clearing::none,
                                  client::Clearing::after, client::Clearing::before_and_after};
  if (is_v3 && !settings.clean_start) settings.clearing = kClearings[flags >> 2U & 3U];
  settings.keep_alive = (flags & 16U) != 0 ? 0 : 5;
  if ((flags & 32U) != 0) settings.user_name = "user";
  if ((flags & 64U) != 0 && settings.user_name) settings.password = "secret";
  if ((flags & 128U) != 0) {
    client::Will& will = settings.will.emplace();
    will.topic = "w";
    will.payload = "gone";
    will.qos = wire::QoS::at_least_once;
    will.retain = true;
    will.properties.add(PropertyId::will_delay_interval, 5U);
  }
  constexpr std::array kRetries{client::Retry::always, client::Retry::always,
                                client::Retry::after_loss, client::Retry::never};
  settings.retry = kRetries[more & 3U];
  settings.retry_first = Millis(10);
  if ((more & 4U) != 0) settings.in_flight_max = 2;
  if ((more & 8U) != 0) settings.queued_messages_max = 5;
  if ((more & 16U) != 0) settings.queued_bytes_max = 300;
  if ((more & 32U) != 0) settings.ack_timeout = Seconds(3);
  if ((more & 64U) != 0) settings.connect_timeout = Millis(0);
  if ((more & 128U) != 0) settings.goodbye.add_user("why", "because");
  if ((properties & 1U) != 0) settings.properties.add(PropertyId::topic_alias_maximum, 2U);
  if ((properties & 2U) != 0) settings.properties.add(PropertyId::receive_maximum, 2U);
  if ((properties & 4U) != 0) settings.properties.add(PropertyId::maximum_packet_size, 100U);
  if ((properties & 8U) != 0) settings.properties.add(PropertyId::session_expiry_interval, 10U);
  return settings;
}

}  // namespace mq::fuzz
