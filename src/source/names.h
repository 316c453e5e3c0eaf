// The names of people and countries that the source data draws from, in byte order, so that the
// least of several draws is the one nearest the front. They live for ever.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "source/draw.h"

namespace pinpipe::source {

class WeightedNames {
 public:
  // "Aaron:6742,Abigail:2044,…" in byte order; the text must outlive the object.
  explicit WeightedNames(std::string_view text);

  // Each name by its frequency; monotone in the fraction.
  std::string_view at(Fraction fraction) const;
  std::string_view operator[](size_t at) const { return names_[at]; }
  size_t size() const { return names_.size(); }

 private:
  std::vector<std::string_view> names_;
  std::vector<uint64_t> ends_;  // sums of the weights up to and with each name
  uint64_t total_ = 0;
  // Where to begin the search for each 2048th of the total.
  std::array<uint16_t, 2048> guide_{};
};

const WeightedNames& first_names();
const WeightedNames& last_names();
const std::vector<std::string_view>& countries();

}  // namespace pinpipe::source
