#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "broker/access.hpp"
#include "server/config.hpp"
#include "server/password_file.hpp"

namespace mq::server {

/// What the files say about who may come in, and to do what: one entry a listener.
struct AccessFiles {
  struct Entry {
    std::shared_ptr<const PasswordFile> passwords;     ///< none: no password_file
    std::shared_ptr<const broker::AccessRules> rules;  ///< none: no acl_file
  };
  std::vector<Entry> listeners;

  /// Reads them all.
  ///
  /// Fails  a file that cannot be read or has a mistake: where the configuration names it, or where
  ///        in it the mistake is
  static std::expected<AccessFiles, Error> read(const std::vector<Listener>& listeners);
};

/// What is not as it should be with files that work, a line each.
///
/// user  whom root becomes, as the configuration names him
std::vector<std::string> warnings_about_files(const std::vector<Listener>& listeners,
                                              const std::string& user);

}  // namespace mq::server
