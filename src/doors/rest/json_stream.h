// Cuts a stream of JSON objects, one after the other with nothing but whitespace between them, into
// the text of each. It finds where an object ends; whether it is JSON is its reader's question.
// Bounds: object_bytes_max for what is not complete.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinpipe::rest {

class JsonStream {
 public:
  static constexpr size_t object_bytes_max = 64 << 20;

  void feed(std::string_view bytes);
  // The next whole object, valid until the next feed(); nothing when more bytes are needed.
  // `invalid` when something else than an object begins, or one is too large.
  Result<std::optional<std::string_view>> next();
  // Whether nothing but whitespace is left: the stream may end here.
  bool is_between() const;

 private:
  std::string bytes_;
  size_t begin_ = 0;  // of what is not given out yet
  size_t seen_ = 0;   // up to here it has been looked at
  size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace pinpipe::rest
