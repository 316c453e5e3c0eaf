#include "source/python_random.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace pinpipe::source {

// init_by_array of the reference implementation, with the seed's 32-bit digits as the key.
PythonRandom::PythonRandom(int64_t seed) {
  uint64_t magnitude = seed < 0 ? 0 - static_cast<uint64_t>(seed) : static_cast<uint64_t>(seed);
  const std::array<uint32_t, 2> key = {static_cast<uint32_t>(magnitude),
                                       static_cast<uint32_t>(magnitude >> 32)};
  const size_t key_count = key[1] != 0 ? 2 : 1;
  fill(19'650'218);
  size_t i = 1, j = 0;
  auto mixed = [&] { return words_[i - 1] ^ (words_[i - 1] >> 30); };
  auto step = [&] {
    if (++i >= word_count) {
      words_[0] = words_[word_count - 1];
      i = 1;
    }
  };
  for (size_t k = std::max(word_count, key_count); k > 0; --k) {
    words_[i] = (words_[i] ^ (mixed() * 1'664'525U)) + key[j] + static_cast<uint32_t>(j);
    step();
    j = (j + 1) % key_count;
  }
  for (size_t k = word_count - 1; k > 0; --k) {
    words_[i] = (words_[i] ^ (mixed() * 1'566'083'941U)) - static_cast<uint32_t>(i);
    step();
  }
  words_[0] = 0x80000000U;
}

void PythonRandom::fill(uint32_t seed) {
  words_[0] = seed;
  for (size_t i = 1; i < word_count; ++i) {
    words_[i] = 1'812'433'253U * (words_[i - 1] ^ (words_[i - 1] >> 30)) + static_cast<uint32_t>(i);
  }
}

void PythonRandom::refresh() {
  constexpr size_t middle = 397;
  for (size_t i = 0; i < word_count; ++i) {
    uint32_t y = (words_[i] & 0x80000000U) | (words_[(i + 1) % word_count] & 0x7fffffffU);
    words_[i] = words_[(i + middle) % word_count] ^ (y >> 1) ^ ((y & 1) != 0 ? 0x9908b0dfU : 0U);
  }
  at_ = 0;
}

uint32_t PythonRandom::next_word() {
  if (at_ == word_count) refresh();
  uint32_t y = words_[at_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680U;
  y ^= (y << 15) & 0xefc60000U;
  return y ^ (y >> 18);
}

double PythonRandom::random() {
  uint32_t high = next_word() >> 5;
  uint32_t low = next_word() >> 6;
  return (high * 67'108'864.0 + low) * (1.0 / 9'007'199'254'740'992.0);
}

uint64_t PythonRandom::getrandbits(int count) {
  CHECK(count >= 1 && count <= 64, "bits come in one or two words");
  if (count <= 32) return next_word() >> (32 - count);
  uint64_t low = next_word();
  return low | static_cast<uint64_t>(next_word() >> (64 - count)) << 32;
}

int64_t PythonRandom::randrange(int64_t low, int64_t high) {
  CHECK(low < high, "a range has room for a value");
  uint64_t width = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  int bits = static_cast<int>(std::bit_width(width));
  uint64_t drawn = getrandbits(bits);
  while (drawn >= width) drawn = getrandbits(bits);
  return static_cast<int64_t>(static_cast<uint64_t>(low) + drawn);
}

}  // namespace pinpipe::source
