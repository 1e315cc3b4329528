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
            const std::string& listener, const server::Question& question) {
  const auto asked = server::listeners_named(config, listener);
  if (!asked) return fail(asked.error(), kUsage);
  int code = 0;
  std::string answers;
  for (const std::size_t i : *asked) {
    const auto answer = server::answer(config, files, i, question);
    answers += answer.words + "\n";
    if (!answer.is_allowed) code = kDenied;
  }
  const int shown = show(answers);
  return shown == 0 ? code : shown;
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
    return explain(*config, found.files, options->listener,
                   {options->user, options->client, *options->right, options->topic});
  }
  for (const auto& line : config->warnings) fmt::print(stderr, "mqbroker: warning: {}\n", line);
  for (const auto& warning : found.warnings) fmt::print(stderr, "mqbroker: warning: {}\n", warning);
  std::string words;
  for (const auto& listener : found.listeners) words += listener + "\n";
  return show(words + options->config_file + ": the configuration is right\n");
}

}  // namespace mq::app
