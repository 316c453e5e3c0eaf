#include "sink/path_format.h"

#include <fmt/format.h>

#include "base/clock.h"

namespace pinpipe::sink {
namespace {

constexpr std::string_view letters = "yYxMdDweEaHkKhmsSZ";
constexpr int64_t day_ms = 86'400'000;
constexpr std::string_view month_names[] = {"January",   "February", "March",    "April",
                                            "May",       "June",     "July",     "August",
                                            "September", "October",  "November", "December"};
constexpr std::string_view day_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                          "Friday", "Saturday", "Sunday"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct Moment {
  CivilTime civil;
  int weekday;  // 1: Monday
  int day_of_year;
  int week;  // ISO 8601
  int week_year;
  int32_t offset_s;
};

int64_t days_of(int64_t local_ms) {
  return local_ms / day_ms - (local_ms % day_ms < 0 ? 1 : 0);
}

Moment moment_of(int64_t local_ms, int32_t offset_s) {
  Moment m{civil_of(local_ms), 0, 0, 0, 0, offset_s};
  int64_t days = days_of(local_ms);
  m.weekday = static_cast<int>(((days + 3) % 7 + 7) % 7) + 1;  // 1970-01-01 was a Thursday
  m.day_of_year = static_cast<int>(days - days_from_civil(m.civil.year, 1, 1)) + 1;
  // A week belongs to the year of its Thursday.
  int64_t thursday = days + 4 - m.weekday;
  m.week_year = civil_of(thursday * day_ms).year;
  m.week = static_cast<int>((thursday - days_from_civil(m.week_year, 1, 1)) / 7) + 1;
  return m;
}

std::string padded(int64_t value, int count) {
  return fmt::format("{:0{}}", value, count);
}

// Two letters are the year of the century, as in Joda-Time.
std::string year_text(int year, int count) {
  return count == 2 ? padded(year % 100, 2) : padded(year, count);
}

std::string name_text(std::string_view name, int count) {
  return std::string(count >= 4 ? name : name.substr(0, 3));
}

std::string zone_text(int32_t offset_s, int count) {
  int32_t minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;
  return fmt::format("{}{:02}{}{:02}", offset_s < 0 ? '-' : '+', minutes / 60,
                     count == 2 ? ":" : "", minutes % 60);
}

std::string field_text(const Moment& m, char letter, int count) {
  int hour = static_cast<int>(m.civil.hour);
  switch (letter) {
    case 'y':
    case 'Y':
      return year_text(m.civil.year, count);
    case 'x':
      return year_text(m.week_year, count);
    case 'M':
      return count >= 3 ? name_text(month_names[m.civil.month - 1], count)
                        : padded(m.civil.month, count);
    case 'd':
      return padded(m.civil.day, count);
    case 'D':
      return padded(m.day_of_year, count);
    case 'w':
      return padded(m.week, count);
    case 'e':
      return padded(m.weekday, count);
    case 'E':
      return name_text(day_names[m.weekday - 1], count);
    case 'a':
      return hour < 12 ? "AM" : "PM";
    case 'H':
      return padded(hour, count);
    case 'k':
      return padded(hour == 0 ? 24 : hour, count);
    case 'K':
      return padded(hour % 12, count);
    case 'h':
      return padded(hour % 12 == 0 ? 12 : hour % 12, count);
    case 'm':
      return padded(m.civil.minute, count);
    case 's':
      return padded(m.civil.second, count);
    case 'S':  // a fraction: its digits from the left
      return (padded(m.civil.millisecond, 3) +
              std::string(static_cast<size_t>(std::max(0, count - 3)), '0'))
          .substr(0, static_cast<size_t>(count));
    default:
      return zone_text(m.offset_s, count);
  }
}

}  // namespace

Result<PathFormat> PathFormat::parse(std::string_view pattern) {
  PathFormat format;
  auto text = [&]() -> std::string& {
    if (format.pieces_.empty() || format.pieces_.back().letter != 0) format.pieces_.emplace_back();
    return format.pieces_.back().text;
  };
  for (size_t i = 0; i < pattern.size();) {
    char c = pattern[i];
    if (c == '\'') {
      size_t end = pattern.find('\'', i + 1);
      if (end == std::string_view::npos)
        return Error(Code::invalid, fmt::format("'{}' has a quote that does not end", pattern));
      text() += end == i + 1 ? "'" : pattern.substr(i + 1, end - i - 1);
      i = end + 1;
      continue;
    }
    if (!is_letter(c)) {
      text() += c;
      ++i;
      continue;
    }
    if (!letters.contains(c))
      return Error(Code::invalid, fmt::format("the letter {} of '{}' is not supported (known: {})",
                                              c, pattern, letters));
    size_t end = std::min(pattern.find_first_not_of(c, i), pattern.size());
    int count = static_cast<int>(end - i);
    format.pieces_.push_back({c, count, {}});
    format.has_names_ |= c == 'E' || c == 'a' || (c == 'M' && count >= 3);
    i = end;
  }
  if (format.pieces_.empty()) return Error(Code::invalid, "the pattern is empty");
  return format;
}

std::string PathFormat::write(int64_t local_ms, int32_t offset_s) const {
  Moment moment = moment_of(local_ms, offset_s);
  std::string path;
  for (const Piece& piece : pieces_)
    path += piece.letter == 0 ? piece.text : field_text(moment, piece.letter, piece.count);
  return path;
}

}  // namespace pinpipe::sink
