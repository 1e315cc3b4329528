#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "crypto/openssl.hpp"
#include "crypto/tls_context.hpp"

// A file of shared keys is read, or there is one line about what is wrong. Every key that is read
// stands there, behind its identity.

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

std::string hexadecimal(std::string_view bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string result;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    result += kDigits[byte >> 4U];
    result += kDigits[byte & 15U];
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  static const int file = memfd_create("psk", 0);
  MQ_CHECK(ftruncate(file, 0) == 0);
  MQ_CHECK(pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
  static const auto context = mq::crypto::make_context(mq::crypto::TLS_server_method());
  context->psks.clear();
  const auto done = mq::crypto::use_psk_file(*context, "/proc/self/fd/" + std::to_string(file));
  if (!done) MQ_CHECK(done.error().message.find('\n') == std::string::npos);
  const std::string text = lower(mq::text_of({data, size}));
  for (const auto& [identity, key] : context->psks) {
    MQ_CHECK(!identity.empty() && !key.empty());
    MQ_CHECK(text.find(lower(identity) + ":" + hexadecimal(key)) != std::string::npos);
  }
  return 0;
}
