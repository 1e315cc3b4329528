#include "bench/plan.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>
#include <variant>

#include "bench/frames.hpp"

namespace mq::bench {
namespace {

using Field = std::variant<std::uint32_t Plan::*, double Plan::*, std::string Plan::*>;

constexpr std::array kFields{
    std::pair<std::string_view, Field>{"pubs", &Plan::pubs},
    std::pair<std::string_view, Field>{"subs", &Plan::subs},
    std::pair<std::string_view, Field>{"qos", &Plan::qos},
    std::pair<std::string_view, Field>{"payload", &Plan::payload},
    std::pair<std::string_view, Field>{"window", &Plan::window},
    std::pair<std::string_view, Field>{"inflight", &Plan::inflight},
    std::pair<std::string_view, Field>{"batch", &Plan::batch},
    std::pair<std::string_view, Field>{"step", &Plan::step},
    std::pair<std::string_view, Field>{"count", &Plan::count},
    std::pair<std::string_view, Field>{"idle", &Plan::idle},
    std::pair<std::string_view, Field>{"filters", &Plan::filters},
    std::pair<std::string_view, Field>{"rate", &Plan::rate},
    std::pair<std::string_view, Field>{"sink", &Plan::sink},
    std::pair<std::string_view, Field>{"topic", &Plan::topic},
    std::pair<std::string_view, Field>{"seconds", &Plan::seconds},
    std::pair<std::string_view, Field>{"patience", &Plan::patience},
};

constexpr std::array<std::string_view, 4> kSinks{"none", "online", "asleep", "durable"};

bool set(Plan& plan, const Field& field, std::string_view text) {
  if (const auto* words = std::get_if<std::string Plan::*>(&field)) {
    plan.*(*words) = text;
    return true;
  }
  const auto read = [text](auto& number) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    return code == std::errc{} && end == text.data() + text.size();
  };
  if (const auto* number = std::get_if<double Plan::*>(&field)) return read(plan.*(*number));
  return read(plan.*std::get<std::uint32_t Plan::*>(field));
}

}  // namespace

std::expected<Plan, std::string> read_plan(std::span<const char* const> words) {
  if (words.empty()) return std::unexpected("which scenario?");
  Plan plan{.scenario = words.front()};
  for (const std::string_view word : words.subspan(1)) {
    const auto equals = std::min(word.find('='), word.size());
    const auto field = std::ranges::find(kFields, word.substr(0, equals),
                                         &std::pair<std::string_view, Field>::first);
    if (field == kFields.end() || equals == word.size() ||
        !set(plan, field->second, word.substr(equals + 1))) {
      return std::unexpected("what does \"" + std::string(word) + "\" mean?");
    }
  }
  for (const auto& [is_bad, complaint] : {
           std::pair{plan.pubs == 0 || plan.subs == 0 || plan.filters == 0,
                     "pubs, subs and filters are 1 at least"},
           {plan.scenario == "idle" && plan.idle == 0, "idle is 1 at least"},
           {plan.qos > 2, "qos is 0, 1 or 2"},
           {plan.payload < sizeof(Stamp), "payload is 16 at least: it begins with a stamp"},
           {plan.seconds < 0 || plan.patience < 0, "seconds and patience are not negative"},
           {std::ranges::find(kSinks, plan.sink) == kSinks.end(),
            "sink is none, online, asleep or durable"},
       }) {
    if (is_bad) return std::unexpected(complaint);
  }
  return plan;
}

}  // namespace mq::bench
