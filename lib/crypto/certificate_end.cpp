#include "crypto/certificate_end.hpp"

#include <memory>

#include "crypto/openssl.hpp"

namespace mq::crypto {
namespace {

template <const auto& Free>
struct Freed {
  void operator()(auto* object) const { Free(object); }
};

}  // namespace

std::optional<WallTime> certificate_end(const std::string& path) {
  const std::unique_ptr<BIO, Freed<BIO_free>> file(BIO_new_file(path.c_str(), "r"));
  if (!file) return std::nullopt;
  const std::unique_ptr<X509, Freed<X509_free>> certificate(
      PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (!certificate ||
      ASN1_TIME_diff(&days, &seconds, epoch.get(), X509_get0_notAfter(certificate.get())) != 1) {
    return std::nullopt;
  }
  return WallTime(Seconds(Seconds::rep{days} * 86'400 + seconds));
}

}  // namespace mq::crypto
