#include <optional>

#include "base/check.hpp"
#include "net/proxy_header.hpp"

// The input is tried as a header of either version. What can be read must need exactly its own
// bytes: no fewer are enough, and more change nothing.

namespace mq::net {

namespace {

void check(ByteView input, ParsedProxyHeader (*parse)(ByteView)) {
  const auto whole = parse(input);
  if (!whole || !*whole) return;
  const ProxyHeader& header = **whole;
  MQ_CHECK(header.size > 0 && header.size <= input.size());
  MQ_CHECK(header.common_name.empty() || header.is_verified);
  MQ_CHECK(header.is_tls || !header.is_verified);
  const auto exact = parse(input.first(header.size));
  MQ_CHECK(exact && *exact && (*exact)->place == header.place);
  const auto shorter = parse(input.first(header.size - 1));
  MQ_CHECK(shorter && !*shorter);
}

}  // namespace

}  // namespace mq::net

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  const mq::ByteView input(data, size);
  mq::net::check(input, mq::net::parse_proxy_v1);
  mq::net::check(input, mq::net::parse_proxy_v2);
  return 0;
}
