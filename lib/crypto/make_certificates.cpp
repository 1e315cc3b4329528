#include "crypto/make_certificates.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/check.hpp"
#include "crypto/openssl.hpp"

// Elliptic curves, P-256: small, quick even on small machines, and known to every client. The CA
// lives longer than what it issues, so that clients that trust it need not be touched soon.

namespace mq::crypto {

namespace {

constexpr int kDaysOfCa = 3650;
constexpr long kSecondsPerDay = 86'400;
constexpr int kSerialBits = 127;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

/// A key and the certificate that says whose it is.
struct Identity {
  Key key;
  Certificate certificate;
};

void add_extension(X509* to, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Free> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  MQ_CHECK(extension != nullptr);
  X509_add_ext(to, extension.get(), -1);
}

/// A certificate that is still to be signed.
Identity draft(const std::string& common_name, int days) {
  Identity identity{Key(EVP_EC_gen("P-256")), Certificate(X509_new())};
  MQ_CHECK(identity.key != nullptr && identity.certificate != nullptr);
  X509* it = identity.certificate.get();
  X509_set_version(it, X509_VERSION_3);
  const std::unique_ptr<BIGNUM, Free> serial(BN_new());
  MQ_CHECK(BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
  BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(it));
  X509_gmtime_adj(X509_getm_notBefore(it), -kSecondsPerDay);  // clocks differ
  X509_gmtime_adj(X509_getm_notAfter(it), days * kSecondsPerDay);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(it), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  X509_set_pubkey(it, identity.key.get());
  return identity;
}

void sign(Identity& identity, const Identity& by) {
  X509* it = identity.certificate.get();
  X509* issuer = by.certificate.get();
  X509_set_issuer_name(it, X509_get_subject_name(issuer));
  add_extension(it, issuer, NID_subject_key_identifier, "hash");
  if (it != issuer) add_extension(it, issuer, NID_authority_key_identifier, "keyid");
  MQ_CHECK(X509_sign(it, by.key.get(), EVP_sha256()) > 0);
}

Identity make_ca() {
  Identity ca = draft("mqbroker CA", kDaysOfCa);
  X509* it = ca.certificate.get();
  add_extension(it, it, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(it, it, NID_key_usage, "critical,keyCertSign,cRLSign");
  sign(ca, ca);
  return ca;
}

/// "DNS:localhost,IP:::1".
std::string alternatives_of(const std::vector<std::string>& hosts) {
  std::string text;
  for (const std::string& host : hosts) {
    std::array<unsigned char, 16> address{};
    const bool is_address = inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
                            inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
    if (!text.empty()) text += ',';
    text.append(is_address ? "IP:" : "DNS:").append(host);
  }
  return text;
}

Identity issue(const Identity& ca, const std::string& common_name, int days,
               const std::string& alternatives) {
  Identity identity = draft(common_name, days);
  X509* it = identity.certificate.get();
  add_extension(it, it, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(it, it, NID_ext_key_usage, alternatives.empty() ? "clientAuth" : "serverAuth");
  if (!alternatives.empty()) add_extension(it, it, NID_subject_alt_name, alternatives);
  sign(identity, ca);
  return identity;
}

using Done = std::expected<void, Error>;

Done failed(const std::string& path) {
  const std::string way_out = errno == EEXIST ? "; choose another directory" : "";
  return std::unexpected(Error{"cannot write " + path + ": " + std::strerror(errno) + way_out});
}

template <class Put>
Done write_file(const std::string& path, mode_t mode, Put put) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) return failed(path);
  std::unique_ptr<std::FILE, Free> file(fdopen(descriptor, "w"));
  if (file == nullptr || put(file.get()) != 1 || std::fclose(file.release()) != 0) {
    return failed(path);
  }
  return {};
}

Done save(const Identity& identity, const std::string& stem) {
  auto done = write_file(stem + ".key", 0600, [&identity](std::FILE* to) {
    return PEM_write_PrivateKey(to, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  if (!done) return done;
  return write_file(stem + ".crt", 0644, [&identity](std::FILE* to) {
    return PEM_write_X509(to, identity.certificate.get());
  });
}

}  // namespace

std::expected<void, Error> make_certificates(const NewCertificates& wanted) {
  const std::string& directory = wanted.directory;
  if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) return failed(directory);
  const Identity ca = make_ca();
  Done done = save(ca, directory + "/ca");
  if (done) {
    done = save(issue(ca, wanted.hosts.front(), wanted.days, alternatives_of(wanted.hosts)),
                directory + "/server");
  }
  for (const std::string& client : wanted.clients) {
    if (done) done = save(issue(ca, client, wanted.days, {}), directory + "/" + client);
  }
  return done;
}

}  // namespace mq::crypto
