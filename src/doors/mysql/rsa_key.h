// The key pair with which a password crosses a connection without TLS (caching_sha2_password's full
// exchange). Made in memory when first needed, never stored.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinpipe::mysql {

class RsaKey {
 public:
  static constexpr int bits = 2048;

  static Result<RsaKey> make();  // takes some tenths of a second: on a pool
  const std::string& public_pem() const { return public_pem_; }
  // What was encrypted with the public key (OAEP), or nothing.
  std::optional<std::string> decrypt(std::string_view bytes) const;

 private:
  explicit RsaKey(std::shared_ptr<void> key, std::string public_pem)
      : key_(std::move(key)), public_pem_(std::move(public_pem)) {}

  std::shared_ptr<void> key_;  // EVP_PKEY
  std::string public_pem_;
};

}  // namespace pinpipe::mysql
