#include <memory>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "server/acl_file.hpp"
#include "topic/name.hpp"

// An ACL file is read, or there is one line about what is wrong; what was read decides about any
// topic, and never grants what nobody wrote down.

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  using namespace mq;
  auto rules = server::parse_acl_file(text_of({data, size}), "acl");
  if (!rules) {
    MQ_CHECK(!rules.error().message.empty());
    MQ_CHECK(rules.error().message.find('\n') == std::string::npos);
    return 0;
  }
  const auto shared = std::make_shared<const broker::AccessRules>(*std::move(rules));
  for (const auto* user : {"", "alice", "a/b", "+"}) {
    const broker::Access access(shared, user, "id");
    for (const auto* topic : {"a", "a/b", "$SYS/x", "alice/x", "id"}) {
      for (const auto right : {broker::Right::read, broker::Right::write}) {
        const auto decision = access.decide(right, topic);
        MQ_CHECK(!decision.is_allowed ||
                 (decision.rule != nullptr && decision.rule->grants(right)));
        if (decision.rule != nullptr) MQ_CHECK(topic::matches(decision.rule->filter, topic));
      }
    }
    for (const auto* filter : {"#", "a/+", "$share/g/a"}) (void)access.decide_subscription(filter);
  }
  return 0;
}
