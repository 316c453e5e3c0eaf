#include "base/metrics.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <mutex>

#include "base/check.h"

namespace pinpipe {
namespace {

std::string label_text(const Labels& labels) {
  std::string text;
  for (const auto& [key, value] : labels) {
    text += text.empty() ? "" : ",";
    text += key + "=\"";
    for (char c : value) {
      if (c == '\\' || c == '"') text += '\\';
      if (c == '\n') {
        text += "\\n";
      } else {
        text += c;
      }
    }
    text += '"';
  }
  return text;
}

std::string braced(const std::string& labels) {
  return labels.empty() ? "" : "{" + labels + "}";
}

struct Family {
  std::string help;
  std::string type;
  std::map<std::string, std::unique_ptr<Counter>> counters;
  std::map<std::string, std::unique_ptr<Gauge>> gauges;
  std::map<std::string, std::unique_ptr<Histogram>> histograms;
};

template <class T>
T& find_or_make(std::map<std::string, std::unique_ptr<T>>& set, Labels labels) {
  std::string key = label_text(labels);
  if (!set.contains(key) && set.size() >= Metrics::label_sets_max) {
    for (auto& label : labels) label.second = "other";
    key = label_text(labels);
  }
  std::unique_ptr<T>& slot = set[key];
  if (!slot) slot = std::make_unique<T>();
  return *slot;
}

void print_histogram(std::string& out, const std::string& name, const std::string& labels,
                     const Histogram& histogram) {
  uint64_t running = 0;
  std::string prefix = labels.empty() ? "" : labels + ",";
  for (size_t i = 0; i < Histogram::bounds_us.size(); ++i) {
    running += histogram.bucket(i);
    out += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name, prefix,
                       static_cast<double>(Histogram::bounds_us[i]) / 1e6, running);
  }
  running += histogram.bucket(Histogram::bounds_us.size());
  out += fmt::format("{}_bucket{{{}le=\"+Inf\"}} {}\n", name, prefix, running);
  out += fmt::format("{}_sum{} {}\n", name, braced(labels),
                     static_cast<double>(histogram.sum_us()) / 1e6);
  out += fmt::format("{}_count{} {}\n", name, braced(labels), running);
}

}  // namespace

struct Metrics::State {
  mutable std::mutex mutex;
  std::map<std::string, Family, std::less<>> families;

  Family& family(std::string_view name, std::string_view help, std::string_view type) {
    auto [at, made] = families.try_emplace(std::string(name));
    if (made) {
      at->second.help = help;
      at->second.type = type;
    }
    CHECK(at->second.type == type, "a metric keeps its type");
    return at->second;
  }
};

Metrics::Metrics() : state_(new State) {}
Metrics::~Metrics() {
  delete state_;
}

void Histogram::observe_us(int64_t micros) {
  auto at = std::ranges::lower_bound(bounds_us, micros);
  buckets_[static_cast<size_t>(at - bounds_us.begin())].fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(static_cast<uint64_t>(std::max<int64_t>(micros, 0)), std::memory_order_relaxed);
}

Counter& Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
  std::lock_guard lock(state_->mutex);
  return find_or_make(state_->family(name, help, "counter").counters, std::move(labels));
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, Labels labels) {
  std::lock_guard lock(state_->mutex);
  return find_or_make(state_->family(name, help, "gauge").gauges, std::move(labels));
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, Labels labels) {
  std::lock_guard lock(state_->mutex);
  return find_or_make(state_->family(name, help, "histogram").histograms, std::move(labels));
}

std::string Metrics::exposition() const {
  std::lock_guard lock(state_->mutex);
  std::string out;
  for (const auto& [name, family] : state_->families) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
    for (const auto& [labels, counter] : family.counters)
      out += fmt::format("{}{} {}\n", name, braced(labels), counter->value());
    for (const auto& [labels, gauge] : family.gauges)
      out += fmt::format("{}{} {}\n", name, braced(labels), gauge->value());
    for (const auto& [labels, histogram] : family.histograms)
      print_histogram(out, name, labels, *histogram);
  }
  return out;
}

Metrics& metrics() {
  static Metrics all;
  return all;
}

}  // namespace pinpipe
