// Counters, gauges and histograms that every room may bump and the metrics page prints.
// A metric lives for ever once made; making one takes a lock, bumping one is a relaxed atomic add.
// Bounds: label_sets_max per name; beyond it all further label sets share one named "other".
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pinpipe {

class Counter {
 public:
  void add(uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(int64_t amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Durations in seconds over fixed bounds from 100 µs to 10 s.
class Histogram {
 public:
  static constexpr std::array bounds_us = {
      100L,    250L,     500L,     1'000L,   2'500L,     5'000L,     10'000L,    25'000L,
      50'000L, 100'000L, 250'000L, 500'000L, 1'000'000L, 2'500'000L, 5'000'000L, 10'000'000L};
  void observe_us(int64_t micros);
  uint64_t bucket(size_t i) const { return buckets_[i].load(std::memory_order_relaxed); }
  uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  uint64_t sum_us() const { return sum_us_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, bounds_us.size() + 1> buckets_{};
  std::atomic<uint64_t> count_{0};
  std::atomic<uint64_t> sum_us_{0};
};

using Labels = std::vector<std::pair<std::string, std::string>>;

class Metrics {
 public:
  static constexpr size_t label_sets_max = 200;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;

  // The same name and labels give the same object; references stay valid for the Metrics' life.
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {});

  // Prometheus text exposition format, families in name order.
  std::string exposition() const;

 private:
  struct State;
  State* state_;
};

// The process's metrics.
Metrics& metrics();

}  // namespace pinpipe
