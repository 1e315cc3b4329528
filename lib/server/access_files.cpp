#include "server/access_files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "base/printable.hpp"
#include "server/acl_file.hpp"
#include "server/process.hpp"
#include "server/text_file.hpp"

namespace mq::server {
namespace {

/// Reads a file unless it was read before, and lets `parse` make something of its text.
template <class Content, class Parse>
std::expected<std::shared_ptr<const Content>, Error> read_once(
    const NamedFile& file, TextMap<std::shared_ptr<const Content>>& known, Parse parse) {
  if (file.path.empty()) return nullptr;
  auto& content = known[file.path];
  if (content != nullptr) return content;
  const auto text = contents_of(file.path);
  if (!text) {
    return std::unexpected(Error{fmt::format("{}: {}", file.place, text.error().message)});
  }
  auto parsed = parse(*text, file.path);
  if (!parsed) return std::unexpected(parsed.error());
  content = std::make_shared<const Content>(*std::move(parsed));
  return content;
}

/// "5ed36f99.0", as openssl-rehash(1) names a certificate.
bool is_hashed_name(const std::string& name) {
  constexpr std::size_t kDot = 8;
  return name.find_first_not_of("0123456789abcdef") == kDot && name.size() > kDot + 1 &&
         name[kDot] == '.' && name.find_first_not_of("0123456789", kDot + 1) == std::string::npos;
}

/// Whether OpenSSL could find a certificate there. One that cannot be read is somebody else's
/// mistake.
bool holds_certificates(const std::string& directory) {
  std::error_code error;
  std::filesystem::directory_iterator file(directory, error);
  for (; !error && file != std::filesystem::directory_iterator(); file.increment(error)) {
    if (is_hashed_name(file->path().filename().string())) return true;
  }
  return static_cast<bool>(error);
}

}  // namespace

std::expected<AccessFiles, Error> AccessFiles::read(const std::vector<Listener>& listeners) {
  AccessFiles files;
  TextMap<std::shared_ptr<const PasswordFile>> password_files;
  TextMap<std::shared_ptr<const broker::AccessRules>> acl_files;
  for (const Listener& listener : listeners) {
    auto passwords = read_once(listener.password_file, password_files, PasswordFile::parse);
    if (!passwords) return std::unexpected(passwords.error());
    auto rules = read_once(listener.acl_file, acl_files, parse_acl_file);
    if (!rules) return std::unexpected(rules.error());
    files.listeners.push_back({*std::move(passwords), *std::move(rules)});
  }
  return files;
}

std::vector<std::string> warnings_about_files(const std::vector<Listener>& listeners,
                                              const std::string& user) {
  std::set<std::string> secrets;
  std::set<std::string> read_again;
  for (const Listener& listener : listeners) {
    const auto& tls = listener.tls;
    secrets.insert({listener.password_file.path, listener.acl_file.path});
    read_again.insert({tls.certificate, tls.key, tls.ca_file, tls.crl_file, tls.psk_file});
  }
  secrets.erase("");
  read_again.insert(secrets.begin(), secrets.end());
  std::vector<std::string> lines;
  for (const auto& path : secrets) {
    if (!is_readable_by_all(path)) continue;
    lines.push_back(fmt::format("{0} can be read by everybody on this machine (chmod 600 {0})",
                                printable(path)));
  }
  for (const Listener& listener : listeners) {
    const auto& tls = listener.tls;
    const bool is_all = tls.wants_certificate() && tls.ca_file.empty() && !tls.ca_path.empty();
    if (!is_all || holds_certificates(tls.ca_path)) continue;
    lines.push_back(fmt::format(
        "{}there is no certificate in {} by a name that OpenSSL looks for, so no client's is good "
        "(openssl rehash {} makes the names)",
        listener.places.before("capath"), printable(tls.ca_path), printable(tls.ca_path)));
  }
  const auto next = user_after_root(user);
  if (!next || !*next) return lines;
  for (const auto& path : denied_to(**next, read_again, R_OK)) {
    lines.push_back(fmt::format(
        "{0} cannot be read by {1}, whom root becomes, so it will not be read again when it "
        "changes (chown {1} {0})",
        printable(path), (*next)->name));
  }
  return lines;
}

}  // namespace mq::server
