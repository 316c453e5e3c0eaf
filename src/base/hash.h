// Digests. CRC-32C is ours (hardware instruction, table as fallback); the rest is libcrypto's and
// zlib's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pinpipe {

// Castagnoli, as in Kafka's record batches. `seed` is a former result, to go on from it.
uint32_t crc32c(std::string_view bytes, uint32_t seed = 0);

// Raw digests (16, 20, 32, 64 bytes).
std::string md5(std::string_view bytes);
std::string sha1(std::string_view bytes);
std::string sha256(std::string_view bytes);
std::string sha512(std::string_view bytes);
std::string hmac_sha1(std::string_view key, std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);

// A digest of bytes that come piece by piece.
class Digest {
 public:
  enum class Kind { md5, sha1, sha256 };
  explicit Digest(Kind kind);
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  ~Digest();

  void add(std::string_view bytes);
  // The raw digest of all that was added; nothing may be added afterwards.
  std::string finish();

 private:
  void* context_;
};

// Equal content in time that does not depend on where the first difference is.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace pinpipe
