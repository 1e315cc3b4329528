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
// stands there, behind its identity. A line that is put into a file that can be read is read, too,
// and takes nothing away from the others.

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

mq::crypto::TlsContext& context() {
  static const auto context = mq::crypto::make_context(mq::crypto::TLS_server_method());
  return *context;
}

mq::crypto::Done read(std::string_view text) {
  static const int file = memfd_create("psk", 0);
  MQ_CHECK(ftruncate(file, 0) == 0);
  MQ_CHECK(pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  context().psks.clear();
  return mq::crypto::use_psk_file(context(), "/proc/self/fd/" + std::to_string(file));
}

// Whatever may stand in front of the colon.
std::string identity_of(std::string_view text) {
  std::string identity(text.substr(0, 40));
  std::erase_if(identity, [](char c) { return c == ':' || c == '\n'; });
  if (identity.empty() || identity.front() == '#') identity.insert(0, "x");
  return identity;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  const auto text = mq::text_of({data, size});
  const auto done = read(text);
  if (!done) MQ_CHECK(done.error().message.find('\n') == std::string::npos);
  const std::string small = lower(text);
  for (const auto& [identity, key] : context().psks) {
    MQ_CHECK(!identity.empty() && !key.empty());
    MQ_CHECK(small.find(lower(identity) + ":" + hexadecimal(key)) != std::string::npos);
  }
  if (!done) return 0;
  auto expected = context().psks;
  const std::string identity = identity_of(text);
  const std::string key = size == 0 ? "k" : std::string(text.substr(size / 2, 32));
  if (!expected.try_emplace(identity, key).second) return 0;
  std::string longer(text);
  longer.insert(std::min(text.find('\n', size / 2), size),
                "\n" + identity + ":" + hexadecimal(key));
  MQ_CHECK(read(longer).has_value());
  MQ_CHECK(context().psks == expected);
  return 0;
}
