// A pattern of Joda-Time, in which Confluent's TimeBasedPartitioner names directories:
//   'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH   ->   year=2026/month=01/day=02/hour=15
// Letters: y Y x (year, era's year, week-year), M, d, D, w, e, E, a, H, k, K, h, m, s, S, Z; text
// in single quotes and everything that is no letter stands for itself. Names are English. Promise:
// another letter is refused by name; what is written is the same for the same instant.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinpipe::sink {

class PathFormat {
 public:
  static Result<PathFormat> parse(std::string_view pattern);

  // The time at `local_ms`, counted as if it were UTC; `offset_s` is how far east that is.
  std::string write(int64_t local_ms, int32_t offset_s) const;
  // Whether names of months or days are in it.
  bool has_names() const { return has_names_; }

 private:
  struct Piece {
    char letter = 0;  // 0: text
    int count = 0;
    std::string text;
  };
  std::vector<Piece> pieces_;
  bool has_names_ = false;
};

}  // namespace pinpipe::sink
