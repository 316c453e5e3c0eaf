// CHECK(condition, "sentence"): what must not happen. Stays on in release; a broken invariant
// prints the sentence and stops the process, because going on would damage data.
#pragma once

#include <string_view>

namespace pinpipe {
[[noreturn]] void check_failed(std::string_view condition, std::string_view sentence,
                               std::string_view file, int line);
}  // namespace pinpipe

#define CHECK(condition, sentence)                                         \
  do {                                                                     \
    if (!(condition)) [[unlikely]]                                         \
      ::pinpipe::check_failed(#condition, (sentence), __FILE__, __LINE__); \
  } while (false)
