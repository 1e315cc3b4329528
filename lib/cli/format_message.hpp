#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "cli/console.hpp"
#include "wire/packet.hpp"

namespace mq::cli {

/// How mqsub prints a message.
struct MessageFormat {
  bool has_topic = false;
  bool has_newline = true;
  Medium medium = Medium::file;
};

/// Appends a message as it is to be printed: the payload, or the topic, a space and the payload. An
/// empty payload is nothing at all, or "(null)" behind the topic. On a terminal, what could steer
/// it is escaped; in a pipe or a file the bytes are the payload's.
void format_message(const wire::Publish& message, const MessageFormat& format, std::string& out);

/// Appends text for a terminal: \xNN for control characters other than tab and newline, and for
/// what is not UTF-8.
void escape(std::string_view text, std::string& out);

}  // namespace mq::cli
