#include "kit/certificates.h"

#include <cstdio>
#include <memory>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace pinpipe::kit {
namespace {

template <auto function>
struct Free {
  template <class T>
  void operator()(T* object) const {
    function(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;

void add_extension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  CHECK(extension != nullptr, "a test's extension is well written");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make(const char* name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key,
                 const Certificates::Options& options) {
  Certificate made(X509_new());
  X509* it = made.get();
  bool is_authority = issuer == nullptr;
  X509_set_version(it, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(it), is_authority ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(it), -10L * 86'400);
  X509_gmtime_adj(X509_getm_notAfter(it), (is_authority ? 1L : options.valid_days) * 86'400);
  X509_set_pubkey(it, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(it), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509* signer = is_authority ? it : issuer;
  X509_set_issuer_name(it, X509_get_subject_name(signer));
  if (is_authority) {
    add_extension(it, signer, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(it, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(it, signer, NID_subject_key_identifier, "hash");
  } else {
    add_extension(it, signer, NID_subject_alt_name, options.names.c_str());
  }
  CHECK(X509_sign(it, issuer_key, EVP_sha256()) > 0, "a test's certificate can be signed");
  return made;
}

template <class Write>
void write_pem(const std::string& path, Write write) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  CHECK(file != nullptr && write(file) == 1, "a test can write its certificates");
  std::fclose(file);
}

}  // namespace

Certificates::Certificates(Options options) {
  Key authority_key(EVP_EC_gen("P-256")), key(EVP_EC_gen("P-256"));
  Certificate authority =
      make("test authority", authority_key.get(), nullptr, authority_key.get(), options);
  Certificate server =
      make("test server", key.get(), authority.get(), authority_key.get(), options);
  write_pem(authority_file(),
            [&](std::FILE* file) { return PEM_write_X509(file, authority.get()); });
  write_pem(certificate_file(),
            [&](std::FILE* file) { return PEM_write_X509(file, server.get()); });
  write_pem(key_file(), [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace pinpipe::kit
