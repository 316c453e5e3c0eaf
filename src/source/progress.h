// How far the filling of a source has come.
#pragma once

#include <cstdint>
#include <functional>

namespace pinpipe::source {

// Rows done and rows in all, of the three tables together; called every progress_rows rows.
using Progress = std::function<void(uint64_t done, uint64_t total)>;
inline constexpr uint64_t progress_rows = 10'000;

}  // namespace pinpipe::source
