#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/opensslv.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/lazy_function.hpp"

/// OpenSSL, for those who need it: loading it is most of a short run's time. Only lib/crypto's own
/// sources include it. A function that is missing here is a link error: add it to the list.
namespace mq::crypto {

inline constexpr char kOpenSsl[] = "libssl.so." OPENSSL_MSTR(OPENSSL_SHLIB_VERSION);

#define MQ_OPENSSL(name) \
  inline constinit const LazyFunction<LazyLibrary<kOpenSsl>, decltype(::name)> name(#name)

MQ_OPENSSL(ASN1_STRING_get0_data);
MQ_OPENSSL(ASN1_STRING_length);
MQ_OPENSSL(ASN1_STRING_to_UTF8);
MQ_OPENSSL(ASN1_TIME_diff);
MQ_OPENSSL(ASN1_TIME_free);
MQ_OPENSSL(ASN1_TIME_set);
MQ_OPENSSL(BIO_ctrl);
MQ_OPENSSL(BIO_ctrl_pending);
MQ_OPENSSL(BIO_free);
MQ_OPENSSL(BIO_new);
MQ_OPENSSL(BIO_new_file);
MQ_OPENSSL(BIO_read);
MQ_OPENSSL(BIO_s_mem);
MQ_OPENSSL(BIO_write);
MQ_OPENSSL(BN_free);
MQ_OPENSSL(BN_new);
MQ_OPENSSL(BN_rand);
MQ_OPENSSL(BN_to_ASN1_INTEGER);
MQ_OPENSSL(CRYPTO_free);
MQ_OPENSSL(CRYPTO_memcmp);
MQ_OPENSSL(ERR_clear_error);
MQ_OPENSSL(ERR_peek_error);
MQ_OPENSSL(ERR_reason_error_string);
MQ_OPENSSL(EVP_DecodeBlock);
MQ_OPENSSL(EVP_Digest);
MQ_OPENSSL(EVP_EncodeBlock);
MQ_OPENSSL(EVP_PKEY_Q_keygen);
MQ_OPENSSL(EVP_PKEY_free);
MQ_OPENSSL(EVP_sha256);
MQ_OPENSSL(EVP_sha512);
MQ_OPENSSL(GENERAL_NAMES_free);
MQ_OPENSSL(HMAC);
MQ_OPENSSL(OPENSSL_cleanse);
MQ_OPENSSL(OPENSSL_sk_num);
MQ_OPENSSL(OPENSSL_sk_value);
MQ_OPENSSL(PEM_def_callback);
MQ_OPENSSL(PEM_read_bio_X509);
MQ_OPENSSL(PEM_write_PrivateKey);
MQ_OPENSSL(PEM_write_X509);
MQ_OPENSSL(PKCS5_PBKDF2_HMAC);
MQ_OPENSSL(RAND_bytes);
MQ_OPENSSL(SSL_CTX_check_private_key);
MQ_OPENSSL(SSL_CTX_ctrl);
MQ_OPENSSL(SSL_CTX_free);
MQ_OPENSSL(SSL_CTX_get_cert_store);
MQ_OPENSSL(SSL_CTX_load_verify_dir);
MQ_OPENSSL(SSL_CTX_load_verify_file);
MQ_OPENSSL(SSL_CTX_new);
MQ_OPENSSL(SSL_CTX_set_alpn_protos);
MQ_OPENSSL(SSL_CTX_set_alpn_select_cb);
MQ_OPENSSL(SSL_CTX_set_cipher_list);
MQ_OPENSSL(SSL_CTX_set_ciphersuites);
MQ_OPENSSL(SSL_CTX_set_client_CA_list);
MQ_OPENSSL(SSL_CTX_set_default_passwd_cb);
MQ_OPENSSL(SSL_CTX_set_default_verify_paths);
MQ_OPENSSL(SSL_CTX_set_keylog_callback);
MQ_OPENSSL(SSL_CTX_set_options);
MQ_OPENSSL(SSL_CTX_set_psk_client_callback);
MQ_OPENSSL(SSL_CTX_set_psk_server_callback);
MQ_OPENSSL(SSL_CTX_use_PrivateKey_file);
MQ_OPENSSL(SSL_CTX_use_certificate_chain_file);
MQ_OPENSSL(SSL_CTX_use_psk_identity_hint);
MQ_OPENSSL(SSL_alert_desc_string_long);
MQ_OPENSSL(SSL_ctrl);
MQ_OPENSSL(SSL_do_handshake);
MQ_OPENSSL(SSL_free);
MQ_OPENSSL(SSL_get0_param);
MQ_OPENSSL(SSL_get1_peer_certificate);
MQ_OPENSSL(SSL_get_error);
MQ_OPENSSL(SSL_get_ex_data);
MQ_OPENSSL(SSL_get_ex_data_X509_STORE_CTX_idx);
MQ_OPENSSL(SSL_load_client_CA_file);
MQ_OPENSSL(SSL_new);
MQ_OPENSSL(SSL_read_ex);
MQ_OPENSSL(SSL_select_next_proto);
MQ_OPENSSL(SSL_set_accept_state);
MQ_OPENSSL(SSL_set_bio);
MQ_OPENSSL(SSL_set_connect_state);
MQ_OPENSSL(SSL_set_ex_data);
MQ_OPENSSL(SSL_set_verify);
MQ_OPENSSL(SSL_shutdown);
MQ_OPENSSL(SSL_write_ex);
MQ_OPENSSL(TLS_client_method);
MQ_OPENSSL(TLS_server_method);
MQ_OPENSSL(X509V3_EXT_conf_nid);
MQ_OPENSSL(X509V3_set_ctx);
MQ_OPENSSL(X509_EXTENSION_free);
MQ_OPENSSL(X509_LOOKUP_file);
MQ_OPENSSL(X509_NAME_ENTRY_get_data);
MQ_OPENSSL(X509_NAME_add_entry_by_txt);
MQ_OPENSSL(X509_NAME_get_entry);
MQ_OPENSSL(X509_NAME_get_index_by_NID);
MQ_OPENSSL(X509_NAME_print_ex);
MQ_OPENSSL(X509_STORE_CTX_get_current_cert);
MQ_OPENSSL(X509_STORE_CTX_get_error);
MQ_OPENSSL(X509_STORE_CTX_get_ex_data);
MQ_OPENSSL(X509_STORE_add_lookup);
MQ_OPENSSL(X509_STORE_set_flags);
MQ_OPENSSL(X509_VERIFY_PARAM_set1_host);
MQ_OPENSSL(X509_VERIFY_PARAM_set1_ip_asc);
MQ_OPENSSL(X509_VERIFY_PARAM_set_flags);
MQ_OPENSSL(X509_add_ext);
MQ_OPENSSL(X509_free);
MQ_OPENSSL(X509_get0_notAfter);
MQ_OPENSSL(X509_get_ext_d2i);
MQ_OPENSSL(X509_get_issuer_name);
MQ_OPENSSL(X509_get_serialNumber);
MQ_OPENSSL(X509_get_subject_name);
MQ_OPENSSL(X509_getm_notAfter);
MQ_OPENSSL(X509_getm_notBefore);
MQ_OPENSSL(X509_gmtime_adj);
MQ_OPENSSL(X509_load_crl_file);
MQ_OPENSSL(X509_new);
MQ_OPENSSL(X509_set_issuer_name);
MQ_OPENSSL(X509_set_pubkey);
MQ_OPENSSL(X509_set_version);
MQ_OPENSSL(X509_sign);
MQ_OPENSSL(X509_verify_cert_error_string);

#undef MQ_OPENSSL

}  // namespace mq::crypto
