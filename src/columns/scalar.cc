#include "columns/scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/ascii.h"
#include "base/clock.h"

namespace pinpipe::columns {
namespace {

// Exactly `count` digits from the front of `text`, taken away; -1 when they are not there.
int take_digits(std::string_view& text, size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

bool is_date(int year, int month, int day) {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

// ".123456" as microseconds; further digits are cut. -1 when there is no digit after the point.
int64_t take_fraction(std::string_view& text) {
  int64_t micros = 0;
  int digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    if (digits < 6) micros = micros * 10 + (text.front() - '0');
    ++digits;
  }
  for (int i = digits; i < 6; ++i) micros *= 10;
  return digits == 0 ? -1 : micros;
}

// "Z", "+HH:MM", "-HH:MM" or nothing, as minutes east of UTC.
std::optional<int> take_zone(std::string_view text) {
  if (text.empty() || text == "Z") return 0;
  int sign = text.front() == '-' ? -1 : 1;
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  int hours = take_digits(text, 2);
  if (!take(text, ':')) return std::nullopt;
  int minutes = take_digits(text, 2);
  if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59 || !text.empty()) return std::nullopt;
  return sign * (hours * 60 + minutes);
}

}  // namespace

std::optional<int64_t> integer_of(std::string_view text) {
  text = trimmed(text, " ");
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  if (error == std::errc::result_out_of_range) return std::nullopt;
  std::optional<double> number = number_of(text);
  // Up to 2^53 every whole double is exact; beyond it the text may have meant another number.
  constexpr double exact_max = 9007199254740992.0;
  if (!number || std::abs(*number) > exact_max || *number != std::floor(*number))
    return std::nullopt;
  return static_cast<int64_t>(*number);
}

std::optional<double> number_of(std::string_view text) {
  text = trimmed(text, " ");
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity" || text == "+Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  // from_chars would also take "inf" and "nan".
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != text.npos) return std::nullopt;
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> boolean_of(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<int64_t> timestamp_of(std::string_view text) {
  text = trimmed(text, " ");
  int year = take_digits(text, 4);
  bool dashed = take(text, '-');
  int month = take_digits(text, 2);
  dashed = take(text, '-') && dashed;
  int day = take_digits(text, 2);
  if (!dashed || !is_date(year, month, day)) return std::nullopt;
  int64_t seconds =
      days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day)) * 86'400;
  if (text.empty()) return seconds * 1'000'000;
  if (!take(text, ' ') && !take(text, 'T')) return std::nullopt;
  int hour = take_digits(text, 2);
  bool colons = take(text, ':');
  int minute = take_digits(text, 2);
  colons = take(text, ':') && colons;
  int second = take_digits(text, 2);
  if (!colons || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return std::nullopt;
  }
  int64_t micros = take(text, '.') ? take_fraction(text) : 0;
  std::optional<int> zone = take_zone(text);
  if (micros < 0 || !zone) return std::nullopt;
  seconds += hour * 3600 + (minute - *zone) * 60 + second;
  return seconds * 1'000'000 + micros;
}

bool is_json_number(std::string_view text) {
  auto take_all_digits = [&text] {
    size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count;
  };
  take(text, '-');
  if (!take(text, '0') && take_all_digits() == 0) return false;
  if (take(text, '.') && take_all_digits() == 0) return false;
  if (take(text, 'e') || take(text, 'E')) {
    if (!take(text, '+')) take(text, '-');
    if (take_all_digits() == 0) return false;
  }
  return text.empty();
}

}  // namespace pinpipe::columns
