// Hash keys of streams: which shard a record belongs to. A key is a number from 0 to 2^128 − 1,
// written in decimal; shards share that range without holes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinpipe::broker {

using HashKey = unsigned __int128;
inline constexpr HashKey hash_key_max = ~HashKey{0};

struct HashRange {
  HashKey first = 0;
  HashKey last = hash_key_max;  // inclusive

  bool has(HashKey key) const { return first <= key && key <= last; }
  bool operator==(const HashRange&) const = default;
};

// The partition key's MD5, read as a big-endian number.
HashKey hash_of_key(std::string_view partition_key);

std::string to_decimal(HashKey key);
// Digits only; nothing beyond hash_key_max.
std::optional<HashKey> hash_key_of(std::string_view decimal);

// floor(2^128 / count) keys each, the last range takes the rest. At least one.
std::vector<HashRange> even_ranges(int32_t count);

}  // namespace pinpipe::broker
