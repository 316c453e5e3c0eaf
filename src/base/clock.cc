#include "base/clock.h"

#include <cstdio>
#include <ctime>

namespace pinpipe {
namespace {

class SystemClock final : public Clock {
 public:
  int64_t wall_ms() const override { return read(CLOCK_REALTIME) / 1'000'000; }
  int64_t steady_ns() const override { return read(CLOCK_MONOTONIC); }

 private:
  static int64_t read(clockid_t id) {
    timespec now{};
    clock_gettime(id, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
  }
};

bool read_digits(std::string_view& text, size_t count, int& value) {
  if (text.size() < count) return false;
  value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool read_one(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

// Fraction of a second in milliseconds, cut, never rounded up.
int read_fraction_ms(std::string_view& text) {
  int millis = 0;
  int weight = 100;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    millis += (text.front() - '0') * weight;
    weight /= 10;
    text.remove_prefix(1);
  }
  return millis;
}

bool read_offset_minutes(std::string_view& text, int& minutes) {
  if (read_one(text, 'Z') || read_one(text, 'z')) {
    minutes = 0;
    return true;
  }
  int sign = read_one(text, '+') ? 1 : read_one(text, '-') ? -1 : 0;
  int hours = 0;
  int rest = 0;
  if (sign == 0 || !read_digits(text, 2, hours) || !read_one(text, ':') ||
      !read_digits(text, 2, rest)) {
    return false;
  }
  minutes = sign * (hours * 60 + rest);
  return true;
}

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

int64_t days_from_civil(int year, unsigned month, unsigned day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<int64_t>(day_of_era) - 719468;
}

CivilTime civil_of(int64_t wall_ms) {
  int64_t days = wall_ms / 86'400'000;
  int64_t in_day = wall_ms % 86'400'000;
  if (in_day < 0) {
    in_day += 86'400'000;
    --days;
  }
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {.year = static_cast<int>(year_of_era + era * 400) + (month <= 2 ? 1 : 0),
          .month = month,
          .day = day_of_year - (153 * shifted_month + 2) / 5 + 1,
          .hour = static_cast<unsigned>(in_day / 3'600'000),
          .minute = static_cast<unsigned>(in_day / 60'000 % 60),
          .second = static_cast<unsigned>(in_day / 1000 % 60),
          .millisecond = static_cast<unsigned>(in_day % 1000)};
}

std::optional<int64_t> from_http_date(std::string_view text) {
  static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  size_t comma = text.find(", ");
  if (comma == std::string_view::npos) return std::nullopt;
  text.remove_prefix(comma + 2);
  if (text.size() != 24) return std::nullopt;
  size_t month = months.find(text.substr(3, 3));
  if (month == std::string_view::npos || month % 3 != 0 || text[2] != ' ' || text[6] != ' ')
    return std::nullopt;
  int day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::string_view day_text = text.substr(0, 2);
  text.remove_prefix(7);
  bool good = read_digits(day_text, 2, day) && read_digits(text, 4, year) && read_one(text, ' ') &&
              read_digits(text, 2, hour) && read_one(text, ':') && read_digits(text, 2, minute) &&
              read_one(text, ':') && read_digits(text, 2, second) && text == " GMT";
  if (!good || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  int64_t days =
      days_from_civil(year, static_cast<unsigned>(month / 3 + 1), static_cast<unsigned>(day));
  return ((days * 24 + hour) * 60 + minute) * 60'000 + second * 1'000LL;
}

std::string to_rfc3339(int64_t wall_ms) {
  CivilTime t = civil_of(wall_ms);
  char text[64];
  int size = std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02u:%02u:%02u.%03uZ", t.year,
                           t.month, t.day, t.hour, t.minute, t.second, t.millisecond);
  return {text, static_cast<size_t>(size)};
}

std::optional<int64_t> from_rfc3339(std::string_view text) {
  int year, month, day, hour, minute, second, offset_minutes = 0, millis = 0;
  if (!read_digits(text, 4, year) || !read_one(text, '-') || !read_digits(text, 2, month) ||
      !read_one(text, '-') || !read_digits(text, 2, day) ||
      !(read_one(text, 'T') || read_one(text, ' ')) || !read_digits(text, 2, hour) ||
      !read_one(text, ':') || !read_digits(text, 2, minute) || !read_one(text, ':') ||
      !read_digits(text, 2, second)) {
    return std::nullopt;
  }
  if (read_one(text, '.')) millis = read_fraction_ms(text);
  if (!read_offset_minutes(text, offset_minutes) || !text.empty()) return std::nullopt;
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  int64_t days = days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
  if (civil_of(days * 86'400'000).day != static_cast<unsigned>(day)) return std::nullopt;
  int64_t minutes = days * 1440 + hour * 60 + minute - offset_minutes;
  return (minutes * 60 + second) * 1000 + millis;
}

}  // namespace pinpipe
