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
#include <wmmintrin.h>
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

uint32_t crc32c_portable(std::string_view bytes, uint32_t crc) {
  for (char byte : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<uint8_t>(byte)) & 255];
  return crc;
}

#if defined(__x86_64__)
// x^power modulo the polynomial; bit 31 is the coefficient of x^0, as everywhere in a reflected
// CRC.
constexpr uint32_t power_of_x(size_t power) {
  uint32_t value = 0x80000000U;
  for (; power > 0; --power) value = value & 1 ? (value >> 1) ^ 0x82f63b78U : value >> 1;
  return value;
}

uint64_t word_at(const char* data) {
  uint64_t word;
  std::memcpy(&word, data, 8);
  return word;
}

// What `crc` becomes when `bytes` zero bytes follow: its product with x^(8 * bytes). The carry-less
// product comes out one place low, and the crc32 instruction that reduces it multiplies by x^32.
template <size_t bytes>
__attribute__((target("sse4.2,pclmul"))) uint64_t shifted(uint64_t crc) {
  constexpr uint32_t factor = power_of_x(8 * bytes - 33);
  __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(crc)),
                                         _mm_cvtsi64_si128(factor), 0);
  return _mm_crc32_u64(0, static_cast<uint64_t>(_mm_cvtsi128_si64(product)));
}

// The instruction takes a word each cycle and answers after three, so three lanes side by side cost
// what one costs. Takes from `bytes` what fills the lanes.
template <size_t lane>
__attribute__((target("sse4.2,pclmul"))) uint64_t three_lanes(std::string_view& bytes,
                                                              uint64_t crc) {
  while (bytes.size() >= 3 * lane) {
    uint64_t second = 0;
    uint64_t third = 0;
    const char* at = bytes.data();
    for (const char* end = at + lane; at != end; at += 8) {
      crc = _mm_crc32_u64(crc, word_at(at));
      second = _mm_crc32_u64(second, word_at(at + lane));
      third = _mm_crc32_u64(third, word_at(at + 2 * lane));
    }
    crc = shifted<lane>(shifted<lane>(crc) ^ second) ^ third;
    bytes.remove_prefix(3 * lane);
  }
  return crc;
}

__attribute__((target("sse4.2,pclmul"))) uint32_t crc32c_hardware(std::string_view bytes,
                                                                  uint32_t crc) {
  uint64_t wide = three_lanes<64>(bytes, three_lanes<1024>(bytes, crc));
  for (; bytes.size() >= 8; bytes.remove_prefix(8))
    wide = _mm_crc32_u64(wide, word_at(bytes.data()));
  auto narrow = static_cast<uint32_t>(wide);
  for (char byte : bytes) narrow = _mm_crc32_u8(narrow, static_cast<uint8_t>(byte));
  return narrow;
}

uint32_t crc32c_best(std::string_view bytes, uint32_t crc) {
  static const bool hardware = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
  return hardware ? crc32c_hardware(bytes, crc) : crc32c_portable(bytes, crc);
}
#else
uint32_t crc32c_best(std::string_view bytes, uint32_t crc) {
  return crc32c_portable(bytes, crc);
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
  return ~crc32c_best(bytes, ~seed);
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
