// Randomness as a function: the draws for one thing depend on the seed, the thing's sort and its
// number, never on what was drawn before. Integers and correctly rounded square roots only, so that
// every machine gives the same values.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace pinpipe::source {

inline constexpr uint64_t golden_gamma = 0x9e3779b97f4a7c15ULL;

inline uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// A number in [0, 1) as 53 bits.
struct Fraction {
  uint64_t bits;
  // Uniform over [0, bound) when the fraction is uniform; monotone in it.
  uint64_t of(uint64_t bound) const {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(bits) * bound >> 53);
  }
};

class Draw {
 public:
  Draw(uint64_t key, uint64_t number) : state_(mix(key ^ mix(number * golden_gamma + 1))) {}

  uint64_t next() { return mix(state_ += golden_gamma); }
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(next()) * bound >> 64);
  }
  bool chance(uint32_t per_100k) { return below(100'000) < per_100k; }
  Fraction fraction() { return {next() >> 11}; }

  // The least of `count` independent uniform fractions, in about log2(count) steps: the largest of
  // 2^j uniforms is the j-fold square root of one, and any count is a sum of such powers.
  Fraction least_of(uint64_t count) {
    double largest = unit();
    for (int bit = static_cast<int>(std::bit_width(count)) - 2; bit >= 0; --bit) {
      largest = std::sqrt(largest);
      if ((count >> bit & 1) != 0) largest = std::max(largest, unit());
    }
    auto bits = static_cast<uint64_t>(largest * 0x1.0p53);
    constexpr uint64_t most = (uint64_t{1} << 53) - 1;
    return {most - std::min(bits, most)};
  }

 private:
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  uint64_t state_;
};

// A bijection of [0, size) that looks random.
class Permutation {
 public:
  Permutation() = default;
  Permutation(uint64_t key, uint64_t size) : size_(size) {
    int bits = std::max(1, static_cast<int>(std::bit_width(size > 0 ? size - 1 : 0)));
    mask_ = (uint64_t{1} << bits) - 1;
    shift_ = (bits + 1) / 2;
    for (uint64_t& word : words_) word = mix(key += golden_gamma);
  }

  // Rounds of reversible steps over the next power of two; numbers that land beyond the size go on.
  uint64_t operator()(uint64_t number) const {
    do {
      for (uint64_t word : words_) {
        number = (number * (word | 1) + (word >> 32)) & mask_;
        number ^= number >> shift_;
      }
    } while (number >= size_);
    return number;
  }

 private:
  uint64_t size_ = 1;
  uint64_t mask_ = 1;
  int shift_ = 1;
  uint64_t words_[4] = {};
};

}  // namespace pinpipe::source
