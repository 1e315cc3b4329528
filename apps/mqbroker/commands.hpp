#pragma once

#include <span>
#include <string_view>

#include "base/error.hpp"

/// What the program does beside being a broker. All of it returns the exit code.
namespace mq::app {

inline constexpr int kCannotStart = 1;
inline constexpr int kUsage = 3;

/// Says why on stderr. Returns `code`.
int fail(const Error& error, int code);

/// Prints what was asked for, on stdout.
int show(std::string_view text);

/// mqbroker check: looks at a configuration and its files, and explains what they allow.
int check(std::span<char* const> arguments);

/// mqbroker passwd: adds, changes and removes users in a password file.
///
/// arguments  those of the program without its name; the password among them is overwritten
int edit_passwords(std::span<char* const> arguments);

/// mqbroker signal: tells brokers that run to do something.
int tell_brokers(std::span<char* const> arguments);

}  // namespace mq::app
