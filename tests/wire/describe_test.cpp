#include "wire/describe.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "wire/encode.hpp"

using namespace mq;
using namespace mq::wire;

TEST_CASE("a packet in words says why, when an acknowledgement is not a plain one") {
  std::vector<Byte> bytes;
  encode(Puback{.packet_id = 7, .reason = ReasonCode::no_matching_subscribers, .properties = {}},
         Version::v5, bytes);
  CHECK(describe(bytes, Version::v5) == "PUBACK (id 7, No matching subscribers)");
}
