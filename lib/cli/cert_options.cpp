#include "cli/cert_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "cli/command_line.hpp"
#include "cli/help.hpp"

namespace mq::cli {

namespace {

using O = CertOptions;
using V = std::string_view;

constexpr std::string_view kForm = "mqbroker cert DIR --host NAME ... [--client NAME ...]";

constexpr std::size_t kHostMax = 64;  // a common name has no more (RFC 5280, ub-common-name)

/// Letters, digits and what else names, addresses and file names have.
bool is_plain(V text, V also) {
  return !text.empty() && text.size() <= kHostMax && text[0] != '.' && text[0] != '-' &&
         std::ranges::all_of(text, [also](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  also.contains(c);
         });
}

Verdict add_host(O& options, V value) {
  if (!is_plain(value, ".-_:*")) return wrong("must be a host name or an address");
  options.hosts.emplace_back(value);
  return {};
}

Verdict add_client(O& options, V value) {
  if (!is_plain(value, ".-_@") || value == "ca" || value == "server") {
    return wrong("must be a name of letters, digits and . - _ @, other than ca and server");
  }
  const bool is_known = std::ranges::find(options.clients, value) != options.clients.end();
  if (is_known) return wrong("is there twice");
  options.clients.emplace_back(value);
  return {};
}

Verdict ask_for_help(O& options, V) {
  options.wants_help = true;
  return {};
}

constexpr std::array<OptionRow<O>, 3> kTable{{
    {{"host", 0, "NAME", "", "a name or address of the broker; may be given several times"},
     add_host},
    {{"client", 0, "NAME", "client", "a client; may be given several times"}, add_client},
    {{"help", 'h', "", "", "show this text and exit"}, ask_for_help},
}};

}  // namespace

std::expected<CertOptions, Error> parse_cert(std::span<char* const> arguments) {
  std::vector<std::string> operands;
  auto options = apply(std::span<const OptionRow<O>>(kTable), O{}, arguments, &operands);
  if (!options || options->wants_help) return options;
  if (operands.size() != 1 || operands[0].empty()) {
    return std::unexpected(Error{fmt::format("cert needs one directory: {}", kForm)});
  }
  options->directory = operands[0];
  if (options->hosts.empty()) {
    return std::unexpected(
        Error{fmt::format("cert needs the name by which clients call this machine: {}", kForm)});
  }
  if (options->clients.empty()) options->clients.emplace_back("client");
  return options;
}

std::string cert_help() {
  return help_text(
      fmt::format("mqbroker cert makes what TLS needs, in DIR: a CA, certificates and keys for the "
                  "broker\nand its clients, and a configuration that uses them.\n\n  {}\n\n",
                  kForm),
      names_of(std::span<const OptionRow<O>>(kTable)));
}

std::string configuration_for(const CertOptions& options) {
  return fmt::format(
      "listener 8883\ncertfile {0}/server.crt\nkeyfile {0}/server.key\ncafile {0}/ca.crt\n"
      "require_certificate true\nuse_identity_as_username true\n",
      options.directory);
}

std::string commands_for(const CertOptions& options) {
  const std::string tls =
      fmt::format("-h {0} -p 8883 --cafile {1}/ca.crt --cert {1}/{2}.crt --key {1}/{2}.key",
                  options.hosts.front(), options.directory, options.clients.front());
  return fmt::format(
      "mqbroker -c {}/mqbroker.conf\n"
      "mqsub {} -t test/topic\n"
      "mqpub {} -t test/topic -m hello\n",
      options.directory, tls, tls);
}

}  // namespace mq::cli
