// base64, 24 bytes at once where the processor has AVX2; the rest and other processors one triple
// after the other. What is not base64 is always told by the second way.
#include <array>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/bytes.h"

namespace pinpipe {
namespace {
constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> make_base64_values() {
  std::array<int8_t, 256> values{};
  for (auto& value : values) value = -1;
  for (int8_t i = 0; i < 64; ++i) values[static_cast<uint8_t>(alphabet[i])] = i;
  return values;
}
constexpr auto base64_values = make_base64_values();

#if defined(__x86_64__)
const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;

// Both work on two lanes of 16 bytes, of which 12 are bytes or 16 are symbols.

// Symbols are told apart by their high nibble; '+' and '/', which share one, by the symbol itself.
// Gives how many symbols it has taken: a multiple of 32, up to the first that is none.
__attribute__((target("avx2"))) size_t decode_wide(std::string_view symbols, char* out) {
  const __m256i low_classes =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                                0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a));
  const __m256i high_classes =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08,
                                                0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10));
  const __m256i offsets = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m256i order = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
  const __m256i slash = _mm256_set1_epi8('/');
  size_t i = 0;
  // A store writes 32 bytes, of which 24 count: eleven symbols behind have room for the others.
  for (; i + 32 + 11 <= symbols.size(); i += 32, out += 24) {
    __m256i in = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(symbols.data() + i));
    __m256i high = _mm256_and_si256(_mm256_srli_epi32(in, 4), slash);
    __m256i low = _mm256_and_si256(in, slash);
    if (_mm256_testz_si256(_mm256_shuffle_epi8(low_classes, low),
                           _mm256_shuffle_epi8(high_classes, high)) == 0)
      break;
    __m256i is_slash = _mm256_cmpeq_epi8(in, slash);
    __m256i six =
        _mm256_add_epi8(in, _mm256_shuffle_epi8(offsets, _mm256_add_epi8(is_slash, high)));
    __m256i twelve = _mm256_maddubs_epi16(six, _mm256_set1_epi32(0x01400140));
    __m256i bits = _mm256_madd_epi16(twelve, _mm256_set1_epi32(0x00011000));
    __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(bits, order),
                                                _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 3));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), bytes);
  }
  return i;
}

// Gives how many bytes it has taken: a multiple of 24.
__attribute__((target("avx2"))) size_t encode_wide(std::string_view bytes, char* out) {
  const __m256i order =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
  // What is added to a value of 0…25, 26…51, 52…61 (ten classes), 62 and 63.
  const __m256i offsets = _mm256_broadcastsi128_si256(
      _mm_setr_epi8('A', 'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                    '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 0, 0));
  size_t i = 0;
  // A lane is read as 16 bytes, of which 12 count.
  for (; i + 12 + 16 <= bytes.size(); i += 24, out += 32) {
    const char* at = bytes.data() + i;
    __m256i in = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))),
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 12)), 1);
    __m256i spread = _mm256_shuffle_epi8(in, order);
    __m256i even = _mm256_mulhi_epu16(_mm256_and_si256(spread, _mm256_set1_epi32(0x0fc0fc00)),
                                      _mm256_set1_epi32(0x04000040));
    __m256i odd = _mm256_mullo_epi16(_mm256_and_si256(spread, _mm256_set1_epi32(0x003f03f0)),
                                     _mm256_set1_epi32(0x01000010));
    __m256i six = _mm256_or_si256(even, odd);
    __m256i beyond = _mm256_subs_epu8(six, _mm256_set1_epi8(51));
    __m256i is_letter_of_second = _mm256_cmpgt_epi8(six, _mm256_set1_epi8(25));
    __m256i classes = _mm256_sub_epi8(beyond, is_letter_of_second);
    __m256i symbols = _mm256_add_epi8(six, _mm256_shuffle_epi8(offsets, classes));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), symbols);
  }
  return i;
}
#else
constexpr bool has_avx2 = false;
size_t decode_wide(std::string_view, char*) {
  return 0;
}
size_t encode_wide(std::string_view, char*) {
  return 0;
}
#endif
}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '=');
  char* out = text.data();
  size_t i = has_avx2 ? encode_wide(bytes, out) : 0;
  out += i / 3 * 4;
  auto at = [&](size_t k) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[k])); };
  auto put = [&](uint32_t triple, int symbols) {
    for (int n = 0, shift = 18; n < symbols; ++n, shift -= 6)
      *out++ = alphabet[triple >> shift & 63];
  };
  for (; i + 3 <= bytes.size(); i += 3) put(at(i) << 16 | at(i + 1) << 8 | at(i + 2), 4);
  if (i + 1 == bytes.size()) put(at(i) << 16, 2);
  if (i + 2 == bytes.size()) put(at(i) << 16 | at(i + 1) << 8, 3);
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  if (!append_from_base64(bytes, text)) return std::nullopt;
  return bytes;
}

bool append_from_base64(std::string& to, std::string_view text) {
  if (text.size() % 4 != 0) return false;
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const size_t symbols = text.size() - padding;
  const size_t begin = to.size();
  to.resize(begin + text.size() / 4 * 3);
  char* out = to.data() + begin;
  // The sign of a symbol that is none survives the shifts and ors.
  auto value = [&](size_t i) { return int32_t{base64_values[static_cast<uint8_t>(text[i])]}; };
  size_t i = has_avx2 ? decode_wide(text.substr(0, symbols), out) : 0;
  out += i / 4 * 3;
  bool good = true;
  for (; i + 4 <= symbols; i += 4) {
    int32_t bits = value(i) << 18 | value(i + 1) << 12 | value(i + 2) << 6 | value(i + 3);
    good &= bits >= 0;
    *out++ = static_cast<char>(bits >> 16);
    *out++ = static_cast<char>(bits >> 8);
    *out++ = static_cast<char>(bits);
  }
  int32_t bits = 0;
  for (size_t rest = i; rest < symbols; ++rest) bits = bits << 6 | value(rest);
  good = good && bits >= 0;
  if (padding == 1) {
    *out++ = static_cast<char>(bits >> 10);
    *out++ = static_cast<char>(bits >> 2);
  } else if (padding == 2) {
    *out++ = static_cast<char>(bits >> 4);
  }
  to.resize(good ? static_cast<size_t>(out - to.data()) : begin);
  return good;
}

}  // namespace pinpipe
