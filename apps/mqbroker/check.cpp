#include "server/check.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "cli/check_options.hpp"
#include "commands.hpp"
#include "server/config_file.hpp"

namespace mq::app {
namespace {

constexpr int kDenied = 1;

int explain(const server::Config& config, const server::AccessFiles& files,
            const server::Question& question) {
  int code = 0;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const auto answer = server::answer(config, files, i, question);
    fmt::print("{}\n", answer.words);
    if (!answer.is_allowed) code = kDenied;
  }
  return code;
}

}  // namespace

int check(std::span<char* const> arguments) {
  const auto options = cli::parse_check(arguments);
  if (!options) return fail(options.error(), kUsage);
  if (options->wants_help) return show(cli::check_help());
  const auto config = server::read_config_file(options->config_file, {});
  if (!config) return fail(config.error(), kUsage);
  const auto found = server::look_into(*config);
  for (const auto& mistake : found.mistakes) fmt::print(stderr, "mqbroker: {}\n", mistake);
  if (!found.mistakes.empty()) return kUsage;
  if (options->right) {
    return explain(*config, found.files,
                   {options->user, options->client, *options->right, options->topic});
  }
  for (const auto& line : config->warnings) fmt::print(stderr, "mqbroker: warning: {}\n", line);
  for (const auto& warning : found.warnings) fmt::print(stderr, "mqbroker: warning: {}\n", warning);
  for (const auto& listener : found.listeners) fmt::print("{}\n", listener);
  fmt::print("{}: the configuration is right\n", options->config_file);
  return 0;
}

}  // namespace mq::app
