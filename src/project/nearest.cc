#include "project/nearest.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace pinpipe::project {
namespace {

constexpr size_t length_max = 64;

}  // namespace

size_t edit_distance(std::string_view from, std::string_view to) {
  from = from.substr(0, length_max);
  to = to.substr(0, length_max);
  // Three rows of the usual table suffice: a swap looks back two.
  std::array<std::array<size_t, length_max + 1>, 3> rows{};
  for (size_t j = 0; j <= to.size(); ++j) rows[0][j] = j;
  for (size_t i = 1; i <= from.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    const auto& two_above = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      char a = to_lower(from[i - 1]), b = to_lower(to[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a == b ? 0 : 1)});
      if (i > 1 && j > 1 && a == to_lower(to[j - 2]) && b == to_lower(from[i - 2])) {
        row[j] = std::min(row[j], two_above[j - 2] + 1);
      }
    }
  }
  return rows[from.size() % 3][to.size()];
}

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  const std::string* best = nullptr;
  size_t best_distance = std::max<size_t>(1, std::min(word.size(), length_max) / 3) + 1;
  for (const std::string& candidate : candidates) {
    size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best != nullptr ? *best : std::string();
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  std::string near = nearest(word, candidates);
  return near.empty() ? near : "did you mean \"" + near + "\"?";
}

}  // namespace pinpipe::project
