// Pinterest data that behaves like the course's database, made from a seed and nothing else.
// Promise: a row is a function of (seed, rows, index); the same on every machine, in any order of
// asking, from any thread. User and place follow the real set's hidden rule: drawn for each post,
// then the least value of each column over all posts of one poster.
// Bounds: any number of rows in constant memory.
#pragma once

#include <cstdint>

#include "source/posters.h"
#include "source/row.h"

namespace pinpipe::source {

class Generator {
 public:
  struct Options {
    uint64_t rows = classic_rows;
    uint64_t seed = 1;
  };

  explicit Generator(Options options);
  Generator() : Generator(Options{}) {}

  // Fill `row`; `index` must be below rows().
  void pin(uint64_t index, Row& row) const;
  void geo(uint64_t index, Row& row) const;
  void user(uint64_t index, Row& row) const;
  void read(Table table, uint64_t index, Row& row) const;

  uint64_t rows() const { return options_.rows; }
  uint64_t seed() const { return options_.seed; }

 private:
  Options options_;
  Posters posters_;
  // One key a sort of draws.
  uint64_t post_key_, place_key_, user_key_, name_key_, time_key_;
};

}  // namespace pinpipe::source
