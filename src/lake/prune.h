// Which files a condition can concern at all, by their partition values and statistics.
// Promise: a file is left out only when no row of it can meet the condition: bounds that are
// missing, cut or of another type leave the file in. Text compares by its bytes, as readers do;
// maxima of floats are not trusted, since writers differ about NaN.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lake/snapshot.h"

namespace pinpipe::lake {

enum class Compare : uint8_t { equal, less, less_equal, greater, greater_equal, is_null, not_null };

// One thing that every wanted row has: `column` compares so with `value`.
struct Bound {
  std::string column;
  Compare compare = Compare::equal;
  std::string value;  // a number's digits, or text without its quotes
  bool is_text = false;

  bool operator==(const Bound&) const = default;
};

// "a >= 3 AND day = '2024-01-02' AND b IS NOT NULL" as bounds. Of a condition that is more than
// such terms there are none: it concerns every file.
std::vector<Bound> bounds_of(std::string_view condition);

bool may_hold(const Snapshot& snapshot, const AddFile& file, const std::vector<Bound>& bounds);

// The files that may hold rows within the bounds, in the order in which they were written.
std::vector<FilePtr> files_within(const Snapshot& snapshot, const std::vector<Bound>& bounds);

}  // namespace pinpipe::lake
