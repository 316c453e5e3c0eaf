#include "base/metrics.h"

#include <gtest/gtest.h>

namespace pinpipe {
namespace {

TEST(Metrics, exposition_has_help_type_and_values) {
  Metrics all;
  all.counter("a_total", "things", {{"kind", "x\"y"}}).add(3);
  all.gauge("b", "level").set(-2);
  EXPECT_EQ(all.exposition(),
            "# HELP a_total things\n# TYPE a_total counter\na_total{kind=\"x\\\"y\"} 3\n"
            "# HELP b level\n# TYPE b gauge\nb -2\n");
}

TEST(Metrics, histogram_buckets_are_cumulative) {
  Metrics all;
  Histogram& h = all.histogram("d_seconds", "time");
  h.observe_us(50);
  h.observe_us(100);
  h.observe_us(20'000'000);
  std::string text = all.exposition();
  EXPECT_NE(text.find("d_seconds_bucket{le=\"0.0001\"} 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("d_seconds_bucket{le=\"+Inf\"} 3\n"), std::string::npos) << text;
  EXPECT_NE(text.find("d_seconds_count 3\n"), std::string::npos) << text;
}

TEST(Metrics, label_sets_beyond_the_bound_share_other) {
  Metrics all;
  for (size_t i = 0; i < Metrics::label_sets_max + 50; ++i)
    all.counter("many_total", "m", {{"topic", std::to_string(i)}}).add();
  EXPECT_NE(all.exposition().find("many_total{topic=\"other\"} 50\n"), std::string::npos);
}

}  // namespace
}  // namespace pinpipe
