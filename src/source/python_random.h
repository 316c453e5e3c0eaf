// Python's random.Random over a whole number: the Mersenne Twister and the way Python draws from
// it, value for value, so that `seed(100)` leads through the rows every classic script has posted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pinpipe::source {

class PythonRandom {
 public:
  // random.seed(seed); Python takes the magnitude of a negative seed.
  explicit PythonRandom(int64_t seed);

  // random.random(): 53 bits in [0, 1).
  double random();
  // random.uniform(low, high)
  double uniform(double low, double high) { return low + (high - low) * random(); }
  // random.randrange(low, high): high is left out, and must be greater than low.
  int64_t randrange(int64_t low, int64_t high);
  // random.randint(low, high): high is included.
  int64_t randint(int64_t low, int64_t high) { return randrange(low, high + 1); }
  // random.getrandbits(count), count from 1 to 64.
  uint64_t getrandbits(int count);

 private:
  static constexpr size_t word_count = 624;

  void fill(uint32_t seed);
  void refresh();
  uint32_t next_word();

  std::array<uint32_t, word_count> words_;
  size_t at_ = word_count;
};

}  // namespace pinpipe::source
