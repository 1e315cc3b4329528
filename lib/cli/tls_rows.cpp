#include "cli/tls_rows.hpp"

namespace mq::cli {

Verdict set_tls_version(crypto::TlsClientOptions& tls, std::string_view value) {
  if (value == "tlsv1.2") {
    tls.version = crypto::TlsVersion::v1_2;
  } else if (value == "tlsv1.3") {
    tls.version = crypto::TlsVersion::v1_3;
  } else {
    return wrong("must be tlsv1.2 or tlsv1.3; older versions are broken");
  }
  return {};
}

Verdict set_key_form(ConnectOptions& options, std::string_view value) {
  if (value == "engine") return wrong(kNoEngines);
  if (value != "pem") return wrong("must be pem");
  options.names_key_form = true;
  return {};
}

Verdict check_tls(const ConnectOptions& options) {
  const bool has_key = options.tls && !options.tls->key.empty();
  const bool has_certificate = options.tls && !options.tls->certificate.empty();
  if (has_certificate && !has_key) return wrong("--cert needs --key, the key that belongs to it");
  if (has_key && !has_certificate) return wrong("--key needs --cert, the certificate it is for");
  if (options.names_key_form && !has_key) return wrong("--keyform needs --key");
  if (!options.tls) return {};
  const auto& tls = *options.tls;
  if (tls.psk.empty() != tls.psk_identity.empty()) {
    return wrong("--psk and --psk-identity go together: the key, and whose it is");
  }
  if (!tls.psk.empty() && (!tls.ca_file.empty() || !tls.ca_path.empty() || has_certificate)) {
    return wrong("--psk is in place of certificates: leave out --cafile, --capath and --cert");
  }
  return {};
}

}  // namespace mq::cli
