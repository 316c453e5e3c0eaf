#include "base/hash.h"

#include <array>
#include <cstring>
#include <memory>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <utility>

#include "base/check.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace pinpipe {
namespace {

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? (value >> 1) ^ 0x82f63b78U : value >> 1;
    table[i] = value;
  }
  return table;
}
constexpr auto table = make_table();

uint32_t crc32c_portable(const char* data, size_t size, uint32_t crc) {
  for (size_t i = 0; i < size; ++i)
    crc = (crc >> 8) ^ table[(crc ^ static_cast<uint8_t>(data[i])) & 255];
  return crc;
}

#if defined(__x86_64__)
// One dependent chain of the crc32 instruction: 8 bytes per 3 cycles, far above disk and network.
__attribute__((target("sse4.2"))) uint32_t crc32c_hardware(const char* data, size_t size,
                                                           uint32_t crc) {
  uint64_t wide = crc;
  while (size >= 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    wide = _mm_crc32_u64(wide, word);
    data += 8;
    size -= 8;
  }
  auto narrow = static_cast<uint32_t>(wide);
  for (; size > 0; --size) narrow = _mm_crc32_u8(narrow, static_cast<uint8_t>(*data++));
  return narrow;
}

uint32_t crc32c_best(const char* data, size_t size, uint32_t crc) {
  static const bool hardware = __builtin_cpu_supports("sse4.2");
  return hardware ? crc32c_hardware(data, size, crc) : crc32c_portable(data, size, crc);
}
#else
uint32_t crc32c_best(const char* data, size_t size, uint32_t crc) {
  return crc32c_portable(data, size, crc);
}
#endif

// Looked up once: by its older name libcrypto does so under a lock for every digest.
const EVP_MD* fetched(const char* name) {
  const EVP_MD* kind = EVP_MD_fetch(nullptr, name, nullptr);
  CHECK(kind != nullptr, "libcrypto has the digest");
  return kind;
}

std::string digest(const EVP_MD* kind, std::string_view bytes) {
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  bool ok = EVP_DigestInit_ex2(context.get(), kind, nullptr) == 1 &&
            EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
            EVP_DigestFinal_ex(context.get(), out.data(), &size) == 1;
  CHECK(ok, "libcrypto computes the digest");
  return {reinterpret_cast<char*>(out.data()), size};
}

std::string hmac(const EVP_MD* kind, std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  auto* done =
      HMAC(kind, key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data(), &size);
  CHECK(done != nullptr, "libcrypto computes the HMAC");
  return {reinterpret_cast<char*>(out.data()), size};
}

}  // namespace

uint32_t crc32c(std::string_view bytes, uint32_t seed) {
  return ~crc32c_best(bytes.data(), bytes.size(), ~seed);
}

std::string md5(std::string_view bytes) {
  static const EVP_MD* const kind = fetched("MD5");
  return digest(kind, bytes);
}
std::string sha1(std::string_view bytes) {
  static const EVP_MD* const kind = fetched("SHA1");
  return digest(kind, bytes);
}
std::string sha256(std::string_view bytes) {
  static const EVP_MD* const kind = fetched("SHA256");
  return digest(kind, bytes);
}
std::string sha512(std::string_view bytes) {
  static const EVP_MD* const kind = fetched("SHA512");
  return digest(kind, bytes);
}
std::string hmac_sha1(std::string_view key, std::string_view bytes) {
  return hmac(EVP_sha1(), key, bytes);
}
std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  return hmac(EVP_sha256(), key, bytes);
}

Digest::Digest(Kind kind) : context_(EVP_MD_CTX_new()) {
  const EVP_MD* of_kind = kind == Kind::md5    ? EVP_md5()
                          : kind == Kind::sha1 ? EVP_sha1()
                                               : EVP_sha256();
  int ok = EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), of_kind, nullptr);
  CHECK(ok == 1, "libcrypto begins the digest");
}
Digest::Digest(Digest&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
Digest& Digest::operator=(Digest&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}
Digest::~Digest() {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_));
}

void Digest::add(std::string_view bytes) {
  int ok = EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size());
  CHECK(ok == 1, "libcrypto goes on with the digest");
}

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  int ok = EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), out.data(), &size);
  CHECK(ok == 1, "libcrypto ends the digest");
  return {reinterpret_cast<char*>(out.data()), size};
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace pinpipe
