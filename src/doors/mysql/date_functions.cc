// Functions over DATETIMEs, which SQLite keeps as texts.
#include <array>
#include <fmt/format.h>
#include <optional>
#include <string>

#include "base/clock.h"
#include "doors/mysql/sqlite_function.h"
#include "source/datetime.h"

namespace pinpipe::mysql {
namespace {

struct Moment {
  int64_t seconds = 0;
  int64_t days = 0;  // since 1970-01-01
  CivilTime civil = {};
  unsigned week_day = 0;  // 0 is Sunday
};

std::optional<Moment> moment_of(sqlite3_value* value) {
  std::string text(text_of(value).substr(0, 19));
  if (text.size() == 10) text += " 00:00:00";
  auto seconds = source::parse_datetime(text);
  if (!seconds) return std::nullopt;
  CivilTime civil = civil_of(*seconds * 1000);
  int64_t days = days_from_civil(civil.year, civil.month, civil.day);
  // 1970-01-01 was a Thursday.
  return Moment{*seconds, days, civil, static_cast<unsigned>((((days + 4) % 7) + 7) % 7)};
}

template <unsigned CivilTime::* part>
void part_of(Context* to, int, Values values) {
  if (auto m = moment_of(values[0])) sqlite3_result_int64(to, m->civil.*part);
}

void year(Context* to, int, Values values) {
  if (auto m = moment_of(values[0])) sqlite3_result_int(to, m->civil.year);
}

int64_t day_of_year(const Moment& m) {
  return m.days - days_from_civil(m.civil.year, 1, 1) + 1;
}

void day_of_year(Context* to, int, Values values) {
  if (auto m = moment_of(values[0])) sqlite3_result_int64(to, day_of_year(*m));
}

void quarter(Context* to, int, Values values) {
  if (auto m = moment_of(values[0])) sqlite3_result_int64(to, (m->civil.month + 2) / 3);
}
void day_of_week(Context* to, int, Values values) {
  if (auto m = moment_of(values[0])) sqlite3_result_int64(to, m->week_day + 1);
}
void week_day(Context* to, int, Values values) {
  if (auto m = moment_of(values[0])) sqlite3_result_int64(to, (m->week_day + 6) % 7);
}

constexpr std::array month_names = {"January",   "February", "March",    "April",
                                    "May",       "June",     "July",     "August",
                                    "September", "October",  "November", "December"};
constexpr std::array day_names = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                  "Thursday", "Friday", "Saturday"};

void month_name(Context* to, int, Values values) {
  if (auto m = moment_of(values[0])) answer(to, month_names[m->civil.month - 1]);
}
void day_name(Context* to, int, Values values) {
  if (auto m = moment_of(values[0])) answer(to, day_names[m->week_day]);
}

void date_of(Context* to, int, Values values) {
  if (auto m = moment_of(values[0]))
    answer(to, fmt::format("{:04}-{:02}-{:02}", m->civil.year, m->civil.month, m->civil.day));
}
void time_of(Context* to, int, Values values) {
  if (auto m = moment_of(values[0]))
    answer(to, fmt::format("{:02}:{:02}:{:02}", m->civil.hour, m->civil.minute, m->civil.second));
}

void unix_timestamp(Context* to, int count, Values values) {
  if (count == 0) return sqlite3_result_int64(to, system_clock().wall_ms() / 1000);
  if (auto m = moment_of(values[0])) sqlite3_result_int64(to, m->seconds);
}

void days_between(Context* to, int, Values values) {
  auto a = moment_of(values[0]);
  auto b = moment_of(values[1]);
  if (a && b) sqlite3_result_int64(to, a->days - b->days);
}

std::string formatted(const Moment& m, char what) {
  const CivilTime& c = m.civil;
  unsigned hour_of_12 = c.hour % 12 == 0 ? 12 : c.hour % 12;
  std::string_view month = month_names[c.month - 1];
  std::string_view day = day_names[m.week_day];
  switch (what) {
    case 'Y':
      return fmt::format("{:04}", c.year);
    case 'y':
      return fmt::format("{:02}", c.year % 100);
    case 'm':
      return fmt::format("{:02}", c.month);
    case 'c':
      return fmt::to_string(c.month);
    case 'M':
      return std::string(month);
    case 'b':
      return std::string(month.substr(0, 3));
    case 'd':
      return fmt::format("{:02}", c.day);
    case 'e':
      return fmt::to_string(c.day);
    case 'j':
      return fmt::format("{:03}", day_of_year(m));
    case 'W':
      return std::string(day);
    case 'a':
      return std::string(day.substr(0, 3));
    case 'w':
      return fmt::to_string(m.week_day);
    case 'H':
      return fmt::format("{:02}", c.hour);
    case 'k':
      return fmt::to_string(c.hour);
    case 'h':
    case 'I':
      return fmt::format("{:02}", hour_of_12);
    case 'l':
      return fmt::to_string(hour_of_12);
    case 'i':
      return fmt::format("{:02}", c.minute);
    case 's':
    case 'S':
      return fmt::format("{:02}", c.second);
    case 'f':
      return "000000";
    case 'p':
      return c.hour < 12 ? "AM" : "PM";
    case 'T':
      return fmt::format("{:02}:{:02}:{:02}", c.hour, c.minute, c.second);
    case 'r':
      return fmt::format("{:02}:{:02}:{:02} {}", hour_of_12, c.minute, c.second,
                         c.hour < 12 ? "AM" : "PM");
    default:
      return std::string(1, what);
  }
}

void date_format(Context* to, int, Values values) {
  auto m = moment_of(values[0]);
  if (!m || is_null(values[1])) return;
  std::string out;
  std::string_view format = text_of(values[1]);
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out.push_back(format[i]);
    } else {
      out += formatted(*m, format[++i]);
    }
  }
  answer(to, out);
}

void now(Context* to, int, Values) {
  std::string text;
  source::append_datetime(text, system_clock().wall_ms() / 1000, source::DatetimeStyle::blank);
  answer(to, text);
}

void today(Context* to, int, Values) {
  std::string text;
  source::append_datetime(text, system_clock().wall_ms() / 1000, source::DatetimeStyle::blank);
  answer(to, text.substr(0, 10));
}

constexpr NamedFunction own[] = {
    {"curdate", 0, today, false},
    {"date", 1, date_of},
    {"date_format", 2, date_format},
    {"datediff", 2, days_between},
    {"day", 1, part_of<&CivilTime::day>},
    {"dayname", 1, day_name},
    {"dayofmonth", 1, part_of<&CivilTime::day>},
    {"dayofweek", 1, day_of_week},
    {"dayofyear", 1, day_of_year},
    {"hour", 1, part_of<&CivilTime::hour>},
    {"localtime", 0, now, false},
    {"localtimestamp", 0, now, false},
    {"minute", 1, part_of<&CivilTime::minute>},
    {"month", 1, part_of<&CivilTime::month>},
    {"monthname", 1, month_name},
    {"now", 0, now, false},
    {"quarter", 1, quarter},
    {"second", 1, part_of<&CivilTime::second>},
    {"sysdate", 0, now, false},
    {"time", 1, time_of},
    {"unix_timestamp", 0, unix_timestamp, false},
    {"unix_timestamp", 1, unix_timestamp},
    {"utc_date", 0, today, false},
    {"utc_timestamp", 0, now, false},
    {"weekday", 1, week_day},
    {"year", 1, year},
};

}  // namespace

std::span<const NamedFunction> date_functions() {
  return own;
}

}  // namespace pinpipe::mysql
