#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/config_draft.hpp"

/// Values of mosquitto.conf that are more than a number or a switch: each is read from the text
/// behind the option's name.
namespace mq::server {

/// What is wrong with a value and what would be right, for the end of an error line. Empty:
/// nothing.
using Objection = std::string;

/// Numbers as C writes them, which mosquitto reads: 0x10 is 16, 010 is 8.
std::optional<std::uint64_t> number_of(std::string_view text);

/// Cuts the first word off `text`; empty when there is none left, or a comment begins.
std::string_view next_word(std::string_view& text);

/// The words for a value that should have been something else.
Objection rejected(std::string_view value, std::string_view form);

/// For options that have one right value in this version.
///
/// why  what is so whatever the file says
Objection expect(std::string_view value, std::string_view only, std::string_view why);

Objection add_listener(ConfigDraft& draft, std::string_view value);
Objection set_default_port(ConfigDraft& draft, std::string_view value);
Objection set_bind_address(ConfigDraft& draft, std::string_view value);
Objection set_socket_domain(ConfigDraft& draft, std::string_view value);
Objection set_tls_version(ConfigDraft& draft, std::string_view value);
Objection set_prefix(std::optional<std::string>& prefix, std::string_view value);
Objection set_expiration(ConfigDraft& draft, std::string_view value);
Objection set_persistence_file(ConfigDraft& draft, std::string_view value);
Objection set_persistence_sync(ConfigDraft& draft, std::string_view value);
Objection set_queue_policy(ConfigDraft& draft, std::string_view value);
Objection set_retain_expiry(ConfigDraft& draft, std::string_view value);
Objection set_log_format(ConfigDraft& draft, std::string_view value);
Objection add_log_dest(ConfigDraft& draft, std::string_view value);
Objection add_log_type(ConfigDraft& draft, std::string_view value);

}  // namespace mq::server
