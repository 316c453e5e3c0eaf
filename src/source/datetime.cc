#include "source/datetime.h"

#include "base/clock.h"

namespace pinpipe::source {
namespace {

void put_two(char* at, unsigned value) {
  at[0] = static_cast<char>('0' + value / 10 % 10);
  at[1] = static_cast<char>('0' + value % 10);
}

std::optional<unsigned> digits_at(std::string_view text, size_t at, size_t count) {
  unsigned value = 0;
  for (char digit : text.substr(at, count)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(digit - '0');
  }
  return value;
}

}  // namespace

std::optional<DatetimeStyle> datetime_style_named(std::string_view letter) {
  if (letter == "a") return DatetimeStyle::blank;
  if (letter == "b") return DatetimeStyle::iso;
  if (letter == "c") return DatetimeStyle::colons;
  if (letter == "d") return DatetimeStyle::american;
  return std::nullopt;
}

void append_datetime(std::string& to, int64_t seconds, DatetimeStyle style) {
  CivilTime time = civil_of(seconds * 1000);
  auto year = static_cast<unsigned>(time.year);
  if (style == DatetimeStyle::american) {
    char text[] = "MM/DD/YYYY, HH:MM:SS";
    put_two(text, time.month);
    put_two(text + 3, time.day);
    put_two(text + 6, year / 100);
    put_two(text + 8, year % 100);
    put_two(text + 12, time.hour);
    put_two(text + 15, time.minute);
    put_two(text + 18, time.second);
    to.append(text, sizeof text - 1);
    return;
  }
  char text[] = "YYYY-MM-DD HH:MM:SS";
  put_two(text, year / 100);
  put_two(text + 2, year % 100);
  put_two(text + 5, time.month);
  put_two(text + 8, time.day);
  put_two(text + 11, time.hour);
  put_two(text + 14, time.minute);
  put_two(text + 17, time.second);
  if (style == DatetimeStyle::iso) text[10] = 'T';
  if (style == DatetimeStyle::colons) text[4] = text[7] = ':';
  to.append(text, sizeof text - 1);
}

std::optional<int64_t> parse_datetime(std::string_view text) {
  if (text.size() != 19 || text[4] != '-' || text[7] != '-' ||
      (text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  auto year = digits_at(text, 0, 4), month = digits_at(text, 5, 2), day = digits_at(text, 8, 2);
  auto hour = digits_at(text, 11, 2), minute = digits_at(text, 14, 2),
       second = digits_at(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (*month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 ||
      *second > 59) {
    return std::nullopt;
  }
  int64_t days = days_from_civil(static_cast<int>(*year), *month, *day);
  int64_t seconds = days * 86'400 + *hour * 3'600 + *minute * 60 + *second;
  if (civil_of(seconds * 1000).day != *day) return std::nullopt;  // 30 February
  return seconds;
}

}  // namespace pinpipe::source
