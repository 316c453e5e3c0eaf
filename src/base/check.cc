#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace pinpipe {

void check_failed(std::string_view condition, std::string_view sentence, std::string_view file,
                  int line) {
  std::fprintf(stderr, "pinpipe stopped on a broken promise: %.*s (%.*s) at %.*s:%d\n",
               static_cast<int>(sentence.size()), sentence.data(),
               static_cast<int>(condition.size()), condition.data(), static_cast<int>(file.size()),
               file.data(), line);
  std::abort();
}

}  // namespace pinpipe
