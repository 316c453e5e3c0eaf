// `order_by` of lists: names of fields, each with a minus in front for the other direction; the
// first one decides, what is equal in all of them keeps its order.
#pragma once

#include <algorithm>
#include <fmt/format.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pinpipe::airflow {

template <class T>
struct OrderKey {
  std::string_view name;
  bool (*before)(const T&, const T&);
};

// `invalid` for a name that no key has, with those there are.
template <class T>
Status sort_by(std::vector<T>& items, const std::vector<std::string>& order_by,
               std::span<const OrderKey<T>> keys) {
  struct Criterion {
    bool (*before)(const T&, const T&);
    bool descending;
  };
  std::vector<Criterion> criteria;
  for (const std::string& text : order_by) {
    bool descending = text.starts_with('-');
    std::string_view name = std::string_view(text).substr(descending ? 1 : 0);
    auto key = std::ranges::find(keys, name, &OrderKey<T>::name);
    if (key == keys.end()) {
      std::string known;
      for (const auto& one : keys)
        known += fmt::format("{}{}", known.empty() ? "" : ", ", one.name);
      return Error(Code::invalid,
                   fmt::format("Ordering with '{}' is not supported here: {} are", name, known));
    }
    criteria.push_back({key->before, descending});
  }
  if (criteria.empty()) return {};
  std::vector<size_t> places(items.size());
  for (size_t i = 0; i < places.size(); ++i) places[i] = i;
  std::ranges::sort(places, [&](size_t a, size_t b) {
    for (const Criterion& criterion : criteria) {
      const T& one = items[criterion.descending ? b : a];
      const T& other = items[criterion.descending ? a : b];
      if (criterion.before(one, other)) return true;
      if (criterion.before(other, one)) return false;
    }
    return a < b;
  });
  std::vector<T> sorted;
  sorted.reserve(items.size());
  for (size_t place : places) sorted.push_back(std::move(items[place]));
  items = std::move(sorted);
  return {};
}

}  // namespace pinpipe::airflow
