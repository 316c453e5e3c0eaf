#include "broker/streams_sequence.h"

#include <algorithm>
#include <array>

namespace pinpipe::broker {
namespace {

// 192 bits, filled and emptied at the low end.
class Wide {
 public:
  void push(uint64_t value, int bits) {
    for (int left = bits; left > 0;) {
      int step = std::min(left, 16);
      left -= step;
      push_step(static_cast<uint32_t>(value >> left) & ((1U << step) - 1), step);
    }
  }

  uint64_t pop(int bits) {
    uint64_t value = 0;
    for (int done = 0; done < bits;) {
      int step = std::min(bits - done, 16);
      value |= uint64_t{limbs_.back() & ((1U << step) - 1)} << done;
      for (size_t i = limbs_.size(); i-- > 0;)
        limbs_[i] = (limbs_[i] >> step) | (i > 0 ? limbs_[i - 1] << (32 - step) : 0);
      done += step;
    }
    return value;
  }

  bool is_zero() const {
    return std::ranges::all_of(limbs_, [](uint32_t limb) { return limb == 0; });
  }

  // this = this * factor + addend; false when it does not fit.
  bool multiply_add(uint32_t factor, uint32_t addend) {
    uint64_t carry = addend;
    for (size_t i = limbs_.size(); i-- > 0;) {
      uint64_t product = uint64_t{limbs_[i]} * factor + carry;
      limbs_[i] = static_cast<uint32_t>(product);
      carry = product >> 32;
    }
    return carry == 0;
  }

  // this = this / 10^9; gives the rest.
  uint32_t divide_by_billion() {
    uint64_t rest = 0;
    for (uint32_t& limb : limbs_) {
      uint64_t part = (rest << 32) | limb;
      limb = static_cast<uint32_t>(part / 1'000'000'000);
      rest = part % 1'000'000'000;
    }
    return static_cast<uint32_t>(rest);
  }

 private:
  void push_step(uint32_t value, int bits) {
    for (size_t i = 0; i < limbs_.size(); ++i)
      limbs_[i] =
          (limbs_[i] << bits) | (i + 1 < limbs_.size() ? limbs_[i + 1] >> (32 - bits) : value);
  }

  std::array<uint32_t, 6> limbs_{};  // the highest first
};

constexpr uint64_t mark = 2;  // the version, at both ends
constexpr int time_bits = 36;
constexpr size_t digits_max = 57;

}  // namespace

std::string Sequence::text() const {
  Wide wide;
  wide.push(mark, 4);
  wide.push(static_cast<uint64_t>(created_s), time_bits);
  wide.push(static_cast<uint64_t>(shard) & 0xf, 4);
  wide.push(index, 64);
  wide.push(0, 8);
  wide.push(static_cast<uint64_t>(time_s), time_bits);
  wide.push(static_cast<uint32_t>(shard), 32);
  wide.push(mark, 4);
  std::array<char, 72> digits;  // from the end
  size_t begin = digits.size();
  while (!wide.is_zero()) {
    uint32_t nine = wide.divide_by_billion();
    for (int i = 0; i < 9; ++i, nine /= 10) digits[--begin] = static_cast<char>('0' + nine % 10);
  }
  while (begin + 1 < digits.size() && digits[begin] == '0') ++begin;
  return {digits.data() + begin, digits.size() - begin};
}

std::optional<Sequence> Sequence::from_text(std::string_view decimal) {
  if (decimal.empty() || decimal.size() > digits_max || decimal.front() == '0') return std::nullopt;
  Wide wide;
  for (char c : decimal) {
    if (c < '0' || c > '9') return std::nullopt;
    if (!wide.multiply_add(10, static_cast<uint32_t>(c - '0'))) return std::nullopt;
  }
  Sequence sequence;
  uint64_t end = wide.pop(4);
  uint64_t shard = wide.pop(32);
  sequence.time_s = static_cast<int64_t>(wide.pop(time_bits));
  uint64_t zero = wide.pop(8);
  sequence.index = wide.pop(64);
  uint64_t nibble = wide.pop(4);
  sequence.created_s = static_cast<int64_t>(wide.pop(time_bits));
  uint64_t begin = wide.pop(4);
  bool sound = begin == mark && end == mark && zero == 0 && wide.is_zero() &&
               shard <= 0x7fff'ffff && nibble == (shard & 0xf) && sequence.index <= index_max;
  if (!sound) return std::nullopt;
  sequence.shard = static_cast<int32_t>(shard);
  return sequence;
}

}  // namespace pinpipe::broker
