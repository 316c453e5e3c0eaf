#include "broker/names.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace pinpipe::broker {
namespace {

// Levenshtein distance of two short names.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

Status check_topic_name(std::string_view name) {
  auto refuse = [&](std::string_view why) {
    return Error(Code::invalid, "'" + std::string(name.substr(0, topic_name_bytes_max)) +
                                    "' is no name for a topic: " + std::string(why));
  };
  if (name.empty()) return refuse("it is empty");
  if (name.size() > topic_name_bytes_max) return refuse("it is longer than 249 characters");
  if (name == "." || name == "..") return refuse("it names a directory");
  bool legal = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  if (!legal) return refuse("only letters, digits, '.', '_' and '-' are allowed");
  return {};
}

std::string nearest_hint(std::string_view name, const std::vector<std::string>& known) {
  constexpr size_t looked_at_max = 1000;
  if (name.size() > topic_name_bytes_max) return {};
  size_t best = std::max<size_t>(2, name.size() / 3) + 1;
  std::string_view nearest;
  for (size_t i = 0; i < std::min(known.size(), looked_at_max); ++i) {
    size_t far = distance(name, known[i]);
    if (far < best) {
      best = far;
      nearest = known[i];
    }
  }
  return nearest.empty() ? "" : "; did you mean '" + std::string(nearest) + "'?";
}

uint32_t murmur2(std::string_view bytes) {
  constexpr uint32_t m = 0x5bd1e995;
  constexpr uint32_t seed = 0x9747b28c;
  uint32_t h = seed ^ static_cast<uint32_t>(bytes.size());
  while (bytes.size() >= 4) {
    uint32_t k = 0;
    std::memcpy(&k, bytes.data(), 4);
    k *= m;
    k ^= k >> 24;
    k *= m;
    h = (h * m) ^ k;
    bytes.remove_prefix(4);
  }
  auto at = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  if (bytes.size() == 3) h ^= at(2) << 16;
  if (bytes.size() >= 2) h ^= at(1) << 8;
  if (!bytes.empty()) h = (h ^ at(0)) * m;
  h ^= h >> 13;
  h *= m;
  return h ^ (h >> 15);
}

int32_t java_hash(std::string_view text) {
  uint32_t hash = 0;
  for (char c : text) hash = hash * 31 + static_cast<uint8_t>(c);
  return static_cast<int32_t>(hash);
}

}  // namespace pinpipe::broker
