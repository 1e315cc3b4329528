#include "crypto/tls_words.hpp"

#include <arpa/inet.h>

#include <array>
#include <memory>

#include "crypto/openssl.hpp"

namespace mq::crypto {

namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string text_of(const GENERAL_NAME& name) {
  if (name.type == GEN_DNS) return text_of(name.d.dNSName);
  if (name.type != GEN_IPADD) return {};
  const int family = ASN1_STRING_length(name.d.iPAddress) == 4 ? AF_INET : AF_INET6;
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, ASN1_STRING_get0_data(name.d.iPAddress), text.data(), text.size());
  return text.data();
}

/// OpenSSL has no words for the alert of a server of TLS 1.3 that is shown no certificate.
std::string alert_words(int alert) {
  if (alert == SSL_AD_CERTIFICATE_REQUIRED) return "it wants a client certificate";
  return SSL_alert_desc_string_long(alert);
}

}  // namespace

std::string openssl_words() {
  const unsigned long error = ERR_peek_error();
  if (error == 0) return "unknown error";
  const int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET &&
      reason <= SSL_AD_REASON_OFFSET + 255) {
    return "the peer refuses it: " + alert_words(reason - SSL_AD_REASON_OFFSET);
  }
  if (ERR_GET_LIB(error) == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE) {
    return "there is none in it, in PEM";
  }
  const char* words = ERR_reason_error_string(error);
  return words == nullptr ? "error " + std::to_string(error) : words;
}

std::string text_of(const X509_NAME* name, unsigned long form) {
  const std::unique_ptr<BIO, Free> memory(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(memory.get(), name, 0,
                     form & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string hosts_of(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, Free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string hosts;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const std::string host = text_of(*sk_GENERAL_NAME_value(names.get(), i));
    if (!host.empty()) hosts += (hosts.empty() ? "" : ", ") + host;
  }
  return hosts.empty() ? text_of(X509_get_subject_name(certificate)) : hosts;
}

std::string verification_words(const X509* certificate, int error, const std::string& host) {
  if (certificate == nullptr) return X509_verify_cert_error_string(error);
  if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return "its certificate is for " + hosts_of(certificate) + ", not for " + host;
  }
  return "the certificate of " + text_of(X509_get_subject_name(certificate)) + ", issued by " +
         text_of(X509_get_issuer_name(certificate)) +
         ", is not trusted: " + X509_verify_cert_error_string(error);
}

}  // namespace mq::crypto
