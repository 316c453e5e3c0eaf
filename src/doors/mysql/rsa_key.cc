#include "doors/mysql/rsa_key.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace pinpipe::mysql {
namespace {

EVP_PKEY* pkey(const std::shared_ptr<void>& key) {
  return static_cast<EVP_PKEY*>(key.get());
}

struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

}  // namespace

Result<RsaKey> RsaKey::make() {
  std::shared_ptr<void> key(EVP_RSA_gen(bits),
                            [](void* raw) { EVP_PKEY_free(static_cast<EVP_PKEY*>(raw)); });
  std::unique_ptr<BIO, FreeBio> text(BIO_new(BIO_s_mem()));
  if (!key || !text || PEM_write_bio_PUBKEY(text.get(), pkey(key)) != 1)
    return Error(Code::internal, "cannot make an RSA key");
  char* bytes = nullptr;
  long size = BIO_get_mem_data(text.get(), &bytes);
  return RsaKey(std::move(key), std::string(bytes, static_cast<size_t>(size)));
}

std::optional<std::string> RsaKey::decrypt(std::string_view bytes) const {
  std::unique_ptr<EVP_PKEY_CTX, FreeContext> context(EVP_PKEY_CTX_new(pkey(key_), nullptr));
  if (!context || EVP_PKEY_decrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) != 1) {
    return std::nullopt;
  }
  std::string out(bits / 8, '\0');
  size_t size = out.size();
  if (EVP_PKEY_decrypt(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) != 1) {
    return std::nullopt;
  }
  out.resize(size);
  return out;
}

}  // namespace pinpipe::mysql
