// When a cron expression fires: minute hour day month weekday, with lists, ranges, steps, names and
// the presets @hourly @daily @midnight @weekly @monthly @yearly @annually.
// Promise: agrees with croniter (what Airflow uses): when day and weekday are both restricted
// either suffices; a time that spring skips fires when the clock has jumped, unless the hour is *,
// then it does not; a time that autumn repeats fires once, or in both hours when the hour is *.
// Bounds: next_after() looks 50 years ahead.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "scheduler/time_zone.h"

namespace pinpipe::scheduler {

class Cron {
 public:
  static Result<Cron> parse(std::string_view text);

  // The first time after `instant_ms` at which this fires, or nothing.
  std::optional<int64_t> next_after(int64_t instant_ms, const TimeZone& zone) const;
  // The last time up to and including `instant_ms`, or nothing.
  std::optional<int64_t> last_until(int64_t instant_ms, const TimeZone& zone) const;

  const std::string& text() const { return text_; }

 private:
  struct Days {  // which of the two day fields count
    bool of_month = true;
    bool of_week = true;
  };

  bool is_day(int64_t day, Days days) const;
  // First matching local minute after `local` (seconds, as if UTC).
  std::optional<int64_t> next_local(int64_t local, Days days) const;
  std::optional<int64_t> next_instant(int64_t instant, const TimeZone& zone, Days days) const;

  std::string text_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  bool every_hour_ = false;
  bool every_day_ = false;      // the day field is *
  bool every_weekday_ = false;  // the weekday field is *
};

}  // namespace pinpipe::scheduler
