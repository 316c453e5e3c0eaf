// The word somebody most likely meant: edit distance with swaps, forgiving about case.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pinpipe::project {

// How many single edits (insert, drop, change, swap of neighbours) lead from one word to the other.
// A change of case counts nothing. Words beyond 64 bytes are compared by their first 64.
size_t edit_distance(std::string_view from, std::string_view to);

// The candidate nearest to `word`, or empty when none is near (more than a third of the letters
// would have to change). Among equals the first.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

// "did you mean \"x\"?", or empty.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace pinpipe::project
