#include "scheduler/cron.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <vector>

#include "base/ascii.h"
#include "base/clock.h"

namespace pinpipe::scheduler {
namespace {

constexpr int64_t day_secs = 86'400;
constexpr int years_ahead_max = 50;
constexpr size_t text_bytes_max = 1024;

struct Field {
  std::string_view what;
  int least, most;
};
constexpr std::array fields = {Field{"minute", 0, 59}, Field{"hour", 0, 23},
                               Field{"day of the month", 1, 31}, Field{"month", 1, 12},
                               Field{"day of the week", 0, 6}};
constexpr size_t month_field = 3, weekday_field = 4;

constexpr std::array<std::string_view, 12> month_names = {"jan", "feb", "mar", "apr", "may", "jun",
                                                          "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names = {"sun", "mon", "tue", "wed",
                                                           "thu", "fri", "sat"};

struct Preset {
  std::string_view name, meaning;
};
constexpr std::array presets = {Preset{"@hourly", "0 * * * *"},   Preset{"@daily", "0 0 * * *"},
                                Preset{"@midnight", "0 0 * * *"}, Preset{"@weekly", "0 0 * * 0"},
                                Preset{"@monthly", "0 0 1 * *"},  Preset{"@yearly", "0 0 1 1 *"},
                                Preset{"@annually", "0 0 1 1 *"}};

// What one field says: its values, and whether it is * (which a day field must know).
struct Values {
  std::bitset<60> set;
  bool star = false;
};

class FieldReader {
 public:
  FieldReader(size_t index, std::string_view text)
      : index_(index), field_(fields[index]), text_(text) {}

  Result<Values> read() {
    std::string_view rest = text_;
    while (true) {
      size_t comma = rest.find(',');
      Status added = add(rest.substr(0, comma));
      if (!added) return added.error();
      if (comma == std::string_view::npos) return values_;
      rest.remove_prefix(comma + 1);
    }
  }

 private:
  Error wrong(std::string_view part, std::string_view why) const {
    return Error(Code::invalid, fmt::format("\"{}\" is no {}: {}", part, field_.what, why));
  }

  Result<int> number(std::string_view part, std::string_view text) const {
    int value = 0;
    auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && at == text.data() + text.size()) {
      if (index_ == weekday_field && value == 7) value = 0;
      if (value < field_.least || value > field_.most) {
        return wrong(part, fmt::format("it lies between {} and {}", field_.least, field_.most));
      }
      return value;
    }
    if (index_ == month_field) {
      for (size_t i = 0; i < month_names.size(); ++i) {
        if (text == month_names[i]) return static_cast<int>(i) + 1;
      }
    }
    if (index_ == weekday_field) {
      for (size_t i = 0; i < weekday_names.size(); ++i) {
        if (text == weekday_names[i]) return static_cast<int>(i);
      }
    }
    return wrong(part, "write numbers, names, *, a-b, a-b/n, */n or lists of these");
  }

  Status add(std::string_view part) {
    if (part == "*") {
      values_.star = true;
      return add_range(field_.least, field_.most, 1);
    }
    std::string_view range = part;
    int step = 1;
    size_t slash = part.find('/');
    if (slash != std::string_view::npos) {
      range = part.substr(0, slash);
      std::string_view text = part.substr(slash + 1);
      auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), step);
      if (error != std::errc() || at != text.data() + text.size() || step < 1) {
        return wrong(part, "a step is a whole number from 1");
      }
    }
    if (range == "*") return add_range(field_.least, field_.most, step);
    size_t dash = range.find('-');
    auto low = number(part, range.substr(0, dash));
    if (!low) return low.error();
    if (dash == std::string_view::npos) {
      return slash == std::string_view::npos ? put(*low) : add_range(*low, field_.most, step);
    }
    auto high = number(part, range.substr(dash + 1));
    if (!high) return high.error();
    // "mon-mon" is once around, not one day.
    if (*low == *high) return add_range(field_.least, field_.most, step);
    return *low < *high ? add_range(*low, *high, step) : add_wrapped(*low, *high, step);
  }

  Status put(int value) {
    values_.set.set(static_cast<size_t>(value));
    return {};
  }

  Status add_range(int low, int high, int64_t step) {
    for (int64_t v = low; v <= high; v += step) (void)put(static_cast<int>(v));
    return {};
  }

  // "fri-mon", "nov-feb/2". After the turn croniter leaves out one value more than an even stride
  // would, unless the stride ends exactly at the turn; schedules have to agree, so we do too.
  Status add_wrapped(int low, int high, int64_t step) {
    int64_t last = low + (field_.most - low) / step * step;
    (void)add_range(low, field_.most, step);
    int64_t left = field_.most - last;
    int64_t skip = last - field_.least + step > field_.most - field_.least + 1 && left < step
                       ? step - left
                       : 0;
    for (int64_t v = field_.least + skip; v <= high; v += step) (void)put(static_cast<int>(v));
    return {};
  }

  size_t index_;
  const Field& field_;
  std::string_view text_;
  Values values_;
};

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    size_t begin = text.find_first_not_of(" \t\n\r\f\v");
    if (begin == std::string_view::npos) break;
    size_t end = std::min(text.find_first_of(" \t\n\r\f\v", begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return words;
}

template <size_t size>
std::bitset<size> narrowed(const std::bitset<60>& set) {
  std::bitset<size> narrow;
  for (size_t i = 0; i < size; ++i) narrow[i] = set[i];
  return narrow;
}

template <size_t size>
std::optional<int> first_from(const std::bitset<size>& set, int from) {
  for (size_t i = static_cast<size_t>(from); i < size; ++i) {
    if (set[i]) return static_cast<int>(i);
  }
  return std::nullopt;
}

int64_t floor_to(int64_t value, int64_t unit) {
  return value - ((value % unit) + unit) % unit;
}

struct Located {
  int64_t instant = 0;
  bool exists = true;  // false: the clock skips the time, `instant` is when it goes on
};

// The instant of a local time, the nearer one after `previous` when there are two.
Located locate(int64_t local, int64_t previous, const TimeZone& zone) {
  std::vector<int64_t> instants = zone.instants_of(local);
  if (!instants.empty()) {
    if (instants.front() > previous) return {instants.front(), true};
    return {instants.back(), true};
  }
  while (instants.empty()) instants = zone.instants_of(local += 60);
  return {instants.front(), false};
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  if (text.size() > text_bytes_max) return Error(Code::invalid, "the expression is too long");
  Cron cron;
  cron.text_ = text;
  std::string low = lowered(text);
  for (const Preset& preset : presets) {
    if (low == preset.name) low = preset.meaning;
  }
  std::vector<std::string_view> words = words_of(low);
  if (words.size() != fields.size()) {
    std::string sentence = fmt::format(
        "\"{}\" is no schedule: five fields (minute hour day month weekday) or one of @once", text);
    for (const Preset& preset : presets) sentence += fmt::format(" {}", preset.name);
    return Error(Code::invalid, std::move(sentence));
  }
  std::array<Values, 5> values;
  for (size_t i = 0; i < fields.size(); ++i) {
    auto read = FieldReader(i, words[i]).read();
    if (!read) return read.error();
    values[i] = *read;
  }
  cron.minutes_ = values[0].set;
  cron.hours_ = narrowed<24>(values[1].set);
  cron.days_ = narrowed<32>(values[2].set);
  cron.months_ = narrowed<13>(values[3].set);
  cron.weekdays_ = narrowed<7>(values[4].set);
  cron.every_hour_ = cron.hours_.all();
  // A day field that lists every day ("1-31", "*/1") counts as * only when the other has a * in it:
  // croniter's rule, which decides whether the two are joined by "or".
  auto has_star = [&](size_t i) { return words[i].find('*') != std::string_view::npos; };
  cron.every_day_ = values[2].star || (cron.days_.count() == 31 && has_star(4));
  cron.every_weekday_ = values[4].star || (cron.weekdays_.all() && has_star(2));
  return cron;
}

bool Cron::is_day(int64_t day, Days days) const {
  CivilTime date = civil_of(day * day_secs * 1000);
  if (!months_[date.month]) return false;
  if (days.of_month && !every_day_ && !days_[date.day]) return false;
  auto weekday = static_cast<size_t>((day % 7 + 4 + 7) % 7);
  return !days.of_week || every_weekday_ || weekdays_[weekday];
}

std::optional<int64_t> Cron::next_local(int64_t local, Days days) const {
  int64_t from = floor_to(local + 60, 60);
  int64_t day = floor_to(from, day_secs) / day_secs;
  auto minute_of_day = static_cast<int>((from - day * day_secs) / 60);
  int last_year = civil_of(from * 1000).year + years_ahead_max;
  int64_t last_day = days_from_civil(last_year, 12, 31);
  for (; day <= last_day; ++day, minute_of_day = 0) {
    if (!is_day(day, days)) continue;
    int hour = minute_of_day / 60;
    if (hours_[static_cast<size_t>(hour)]) {
      if (auto minute = first_from(minutes_, minute_of_day % 60)) {
        return day * day_secs + hour * 3600 + *minute * 60;
      }
    }
    if (hour == 23) continue;
    if (auto later = first_from(hours_, hour + 1)) {
      return day * day_secs + *later * 3600 + *first_from(minutes_, 0) * 60;
    }
  }
  return std::nullopt;
}

std::optional<int64_t> Cron::next_instant(int64_t instant, const TimeZone& zone, Days days) const {
  int32_t offset = zone.offset_at(instant);
  int64_t now = instant + offset;
  std::optional<int64_t> local = next_local(now, days);
  if (!local) return std::nullopt;
  Located found = locate(*local, instant, zone);
  if (!found.exists && (found.instant <= instant || every_hour_)) {
    // Moving on to when the clock resumes would repeat what has fired, or crowd an hourly schedule.
    while (!found.exists) {
      local = next_local(*local, days);
      if (!local) return std::nullopt;
      found = locate(*local, instant, zone);
    }
  }
  int32_t change = zone.offset_at(found.instant) - offset;
  if (change == 0) return found.instant;
  // The clock changes in between: a match counted on the new clock may come first.
  std::optional<int64_t> other_local = next_local(now + change, days);
  if (!other_local) return found.instant;
  Located other = locate(*other_local, instant, zone);
  if (!other.exists || other.instant <= instant) return found.instant;
  return std::min(found.instant, other.instant);
}

std::optional<int64_t> Cron::next_after(int64_t instant_ms, const TimeZone& zone) const {
  int64_t instant = floor_to(instant_ms, 1000) / 1000;
  std::optional<int64_t> next;
  if (!every_day_ && !every_weekday_) {  // either field suffices
    next = next_instant(instant, zone, {.of_month = true, .of_week = false});
    auto other = next_instant(instant, zone, {.of_month = false, .of_week = true});
    if (!next || (other && *other < *next)) next = other;
  } else {
    next = next_instant(instant, zone, {});
  }
  if (!next) return std::nullopt;
  return *next * 1000;
}

std::optional<int64_t> Cron::last_until(int64_t instant_ms, const TimeZone& zone) const {
  constexpr int64_t hour_ms = 3'600'000;
  // Look back ever further; within a span that begins with nothing there are few times to pass.
  for (int64_t back : {hour_ms, 24 * hour_ms, 32 * 24 * hour_ms, 367 * 24 * hour_ms,
                       5 * 367 * 24 * hour_ms, 40 * 367 * 24 * hour_ms}) {
    std::optional<int64_t> last;
    for (auto at = next_after(instant_ms - back, zone); at && *at <= instant_ms;
         at = next_after(*at, zone)) {
      last = at;
    }
    if (last) return last;
  }
  return std::nullopt;
}

}  // namespace pinpipe::scheduler
