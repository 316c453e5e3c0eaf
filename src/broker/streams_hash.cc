#include "broker/streams_hash.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"

namespace pinpipe::broker {

HashKey hash_of_key(std::string_view partition_key) {
  std::string digest = md5(partition_key);
  return (HashKey{load_be<uint64_t>(digest.data())} << 64) | load_be<uint64_t>(digest.data() + 8);
}

std::string to_decimal(HashKey key) {
  std::string text;
  do {
    text.push_back(static_cast<char>('0' + static_cast<int>(key % 10)));
    key /= 10;
  } while (key != 0);
  std::ranges::reverse(text);
  return text;
}

std::optional<HashKey> hash_key_of(std::string_view decimal) {
  if (decimal.empty()) return std::nullopt;
  HashKey key = 0;
  for (char c : decimal) {
    if (c < '0' || c > '9') return std::nullopt;
    auto digit = static_cast<unsigned>(c - '0');
    if (key > hash_key_max / 10 || key * 10 > hash_key_max - digit) return std::nullopt;
    key = key * 10 + digit;
  }
  return key;
}

std::vector<HashRange> even_ranges(int32_t count) {
  CHECK(count >= 1, "a stream has at least one shard");
  auto parts = static_cast<HashKey>(count);
  // 2^128 itself does not fit: (2^128 − 1) / n is one too small only when n divides 2^128.
  HashKey size = hash_key_max / parts + (hash_key_max % parts == parts - 1 ? 1 : 0);
  std::vector<HashRange> ranges;
  for (HashKey i = 0; i < parts; ++i)
    ranges.push_back({size * i, i + 1 == parts ? hash_key_max : size * (i + 1) - 1});
  return ranges;
}

}  // namespace pinpipe::broker
