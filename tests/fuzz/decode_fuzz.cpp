#include <algorithm>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "support/describe.hpp"
#include "support/notation.hpp"
#include "support/packet_table.hpp"
#include "wire/decode.hpp"
#include "wire/encode.hpp"

// The input is tried as a frame, and as the first byte and the body of one, in every version. What
// can be read must come back the same when it is written and read again; what cannot must end in a
// fault that can be told to the peer.

namespace mq::wire {

namespace {

Version version_of(const Packet& packet, Version version) {
  const auto* connect = std::get_if<Connect>(&packet);
  return connect != nullptr ? connect->version : version;
}

void check_fault(const Fault& fault) {
  MQ_CHECK(is_failure(fault.reason));
  MQ_CHECK(*fault.words != 0);
}

void check_short_way(ByteView frame, Version version, const std::string& description) {
  const auto publish = decode_publish(frame, version);
  MQ_CHECK(publish.has_value());
  MQ_CHECK(support::describe(*publish) == description);
}

void check(ByteView frame, Version version) {
  const auto packet = decode(frame, version);
  if (!packet) return check_fault(packet.error());
  const std::string description = support::describe(*packet);
  if (std::holds_alternative<Publish>(*packet)) check_short_way(frame, version, description);

  std::vector<Byte> written;
  encode(*packet, version_of(*packet, version), written);
  MQ_CHECK(written.size() <= frame.size());
  const auto again = decode(written, version);
  MQ_CHECK(again.has_value());
  MQ_CHECK(support::describe(*again) == description);
  std::vector<Byte> rewritten;
  encode(*again, version_of(*again, version), rewritten);
  MQ_CHECK(rewritten == written);
}

}  // namespace

}  // namespace mq::wire

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  const mq::ByteView input(data, size);
  for (const auto version : mq::support::kEveryVersion) mq::wire::check(input, version);
  if (input.empty()) return 0;
  const auto frame = mq::support::framed(input[0], input.subspan(1));
  for (const auto version : mq::support::kEveryVersion) mq::wire::check(frame, version);
  return 0;
}
