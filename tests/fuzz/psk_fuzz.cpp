#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "crypto/openssl.hpp"
#include "crypto/tls_context.hpp"

// A file of shared keys is read, or there is one line about what is wrong.

extern "C" int LLVMFuzzerTestOneInput(const mq::Byte* data, std::size_t size) {
  static const int file = memfd_create("psk", 0);
  MQ_CHECK(ftruncate(file, 0) == 0);
  MQ_CHECK(pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
  static const auto context = mq::crypto::make_context(mq::crypto::TLS_server_method());
  context->psks.clear();
  const auto done = mq::crypto::use_psk_file(*context, "/proc/self/fd/" + std::to_string(file));
  if (!done) MQ_CHECK(done.error().message.find('\n') == std::string::npos);
  return 0;
}
