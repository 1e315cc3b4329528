#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "base/check.hpp"

namespace mq::support {

/// A certificate that signs itself, and its key, in a directory that goes with them.
class Certificate {
 public:
  /// alternative  as OpenSSL writes it: "DNS:localhost"
  Certificate(const std::string& common_name, const char* alternative) {
    directory_ = (std::filesystem::temp_directory_path() / "mq.XXXXXX").string();
    MQ_CHECK(mkdtemp(directory_.data()) != nullptr);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                  EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
    X509* it = certificate.get();
    X509_set_version(it, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(it), 1);
    X509_gmtime_adj(X509_getm_notBefore(it), -60);
    X509_gmtime_adj(X509_getm_notAfter(it), 3600);
    X509_set_pubkey(it, key.get());
    X509_NAME* name = X509_get_subject_name(it);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(it, name);
    X509_EXTENSION* extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternative);
    X509_add_ext(it, extension, -1);
    X509_EXTENSION_free(extension);
    MQ_CHECK(X509_sign(it, key.get(), EVP_sha256()) > 0);
    write(file(), [it](std::FILE* to) { return PEM_write_X509(to, it); });
    write(key_file(), [&key](std::FILE* to) {
      return PEM_write_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  ~Certificate() { std::filesystem::remove_all(directory_); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  std::string file() const { return directory_ + "/crt"; }
  std::string key_file() const { return directory_ + "/key"; }

 private:
  template <class Put>
  static void write(const std::string& path, Put put) {
    std::FILE* to = std::fopen(path.c_str(), "w");
    MQ_CHECK(to != nullptr && put(to) == 1);
    MQ_CHECK(std::fclose(to) == 0);
  }

  std::string directory_;
};

}  // namespace mq::support
