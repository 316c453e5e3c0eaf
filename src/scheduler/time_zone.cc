#include "scheduler/time_zone.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes.h"
#include "base/clock.h"

namespace pinpipe::scheduler {
namespace {

constexpr int64_t day_secs = 86'400;
constexpr int last_rule_year = 2150;
constexpr size_t file_bytes_max = 64 * 1024;
// No local clock is further from Greenwich than this, not even before standard time.
constexpr int64_t offset_secs_max = 26 * 3600;

// One half of a POSIX rule: "M3.5.0/2", "J60", "59".
struct Moment {
  enum class Kind { month_week_day, julian, day_of_year } kind = Kind::month_week_day;
  int month = 0, week = 0, day = 0;
  int time_secs = 7200;

  // Seconds since 1970 in local time.
  int64_t in(int year) const;
};

bool is_leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int64_t Moment::in(int year) const {
  int64_t january = days_from_civil(year, 1, 1);
  if (kind == Kind::day_of_year) return (january + day) * day_secs + time_secs;
  if (kind == Kind::julian) {  // the 29th of February is never counted
    int shift = is_leap(year) && day >= 60 ? 0 : -1;
    return (january + day + shift) * day_secs + time_secs;
  }
  int64_t first = days_from_civil(year, static_cast<unsigned>(month), 1);
  int64_t next = month == 12 ? days_from_civil(year + 1, 1, 1)
                             : days_from_civil(year, static_cast<unsigned>(month) + 1, 1);
  int64_t weekday = (first % 7 + 4 + 7) % 7;  // 1970-01-01 was a Thursday
  int64_t at = first + (day - weekday + 7) % 7 + 7 * (week - 1);
  while (at >= next) at -= 7;
  return at * day_secs + time_secs;
}

class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }

  bool skip(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool name() {
    size_t length = 0;
    if (rest_.starts_with('<')) {
      length = rest_.find('>');
      if (length == std::string_view::npos) return false;
      ++length;
    } else {
      auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
      while (length < rest_.size() && letter(rest_[length])) ++length;
    }
    rest_.remove_prefix(length);
    return length >= 3;
  }

  std::optional<int> number(int most) {
    int value = 0;
    size_t digits = 0;
    while (digits < rest_.size() && digits < 4 && rest_[digits] >= '0' && rest_[digits] <= '9') {
      value = value * 10 + (rest_[digits++] - '0');
    }
    rest_.remove_prefix(digits);
    if (digits == 0 || value > most) return std::nullopt;
    return value;
  }

  // [+-]hh[:mm[:ss]]
  std::optional<int> time() {
    int sign = skip('-') ? -1 : 1;
    if (sign > 0) (void)skip('+');
    auto hours = number(167);
    if (!hours) return std::nullopt;
    int secs = *hours * 3600;
    for (int unit : {60, 1}) {
      if (!skip(':')) break;
      auto part = number(59);
      if (!part) return std::nullopt;
      secs += *part * unit;
    }
    return sign * secs;
  }

  std::optional<Moment> moment() {
    Moment moment;
    if (skip('M')) {
      auto month = number(12);
      bool dot = skip('.');
      auto week = number(5);
      dot = skip('.') && dot;
      auto day = number(6);
      if (!month || !week || !day || !dot || *month < 1 || *week < 1) return std::nullopt;
      moment.month = *month;
      moment.week = *week;
      moment.day = *day;
    } else {
      moment.kind = skip('J') ? Moment::Kind::julian : Moment::Kind::day_of_year;
      auto day = number(365);
      if (!day) return std::nullopt;
      moment.day = *day;
    }
    if (skip('/')) {
      auto at = time();
      if (!at) return std::nullopt;
      moment.time_secs = *at;
    }
    return moment;
  }

 private:
  std::string_view rest_;
};

struct Counts {
  uint32_t utc_flags, standard_flags, leaps, changes, types, name_bytes;

  uint64_t size(uint64_t time_bytes) const {
    return changes * (time_bytes + 1) + types * 6ULL + name_bytes + leaps * (time_bytes + 4) +
           standard_flags + utc_flags;
  }
};

std::optional<Counts> read_header(Reader& reader, char& version) {
  if (reader.take(4) != "TZif") return std::nullopt;
  std::string_view kind = reader.take(16);
  if (reader.failed()) return std::nullopt;
  version = kind.front();
  Counts counts{};
  for (uint32_t* count : {&counts.utc_flags, &counts.standard_flags, &counts.leaps, &counts.changes,
                          &counts.types, &counts.name_bytes}) {
    *count = reader.be<uint32_t>();
    if (*count > file_bytes_max) return std::nullopt;
  }
  if (reader.failed() || counts.types == 0) return std::nullopt;
  return counts;
}

}  // namespace

TimeZone TimeZone::utc() {
  TimeZone zone;
  zone.name_ = "UTC";
  return zone;
}

Result<TimeZone> TimeZone::find(io::Files& files, const std::string& name) {
  if (name == "UTC" || name == "Etc/UTC" || name == "Z" || name == "GMT") return utc();
  bool legal = !name.empty() && name.size() < 64 && name.front() != '/' &&
               name.find("..") == std::string::npos &&
               name.find_first_not_of(
                   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                   "0123456789_+-/") == std::string::npos;
  if (!legal) return Error(Code::invalid, "\"" + name + "\" is no name of a time zone");
  auto bytes = files.read_all("/usr/share/zoneinfo/" + name, file_bytes_max);
  if (!bytes) {
    std::string sentence = "there is no time zone " + name;
    if (!files.exists("/usr/share/zoneinfo/Europe")) {
      sentence += ": the system has no time zone database (install tzdata)";
    }
    return Error(Code::not_found, std::move(sentence));
  }
  return parse(name, *bytes);
}

Result<TimeZone> TimeZone::parse(std::string name, std::string_view bytes) {
  Error broken(Code::corrupt, "the time zone file of " + name + " cannot be read");
  Reader reader(bytes);
  char version = 0;
  std::optional<Counts> counts = read_header(reader, version);
  if (!counts || version < '2') return broken;
  (void)reader.take(static_cast<int64_t>(counts->size(4)));  // the same again in 32 bits
  counts = read_header(reader, version);
  if (!counts) return broken;

  std::vector<int64_t> times;
  for (uint32_t i = 0; i < counts->changes; ++i) times.push_back(reader.be<int64_t>());
  std::string_view indexes = reader.take(counts->changes);
  std::vector<int32_t> offsets;
  for (uint32_t i = 0; i < counts->types; ++i) {
    offsets.push_back(reader.be<int32_t>());
    (void)reader.take(2);
  }
  (void)reader.take(static_cast<int64_t>(counts->name_bytes + counts->leaps * 12ULL +
                                         counts->standard_flags + counts->utc_flags));
  if (reader.failed()) return broken;

  TimeZone zone;
  zone.name_ = std::move(name);
  zone.first_offset_ = offsets.front();
  for (size_t i = 0; i < times.size(); ++i) {
    auto type = static_cast<unsigned char>(indexes[i]);
    if (type >= offsets.size() || (i > 0 && times[i] <= times[i - 1])) return broken;
    zone.changes_.push_back({times[i], offsets[type]});
  }
  for (int32_t offset : offsets) {
    if (offset < -offset_secs_max || offset > offset_secs_max) return broken;
  }
  std::string_view rule = reader.rest();
  if (rule.size() < 2 || rule.front() != '\n' || rule.back() != '\n') return broken;
  Status extended = zone.extend_by_rule(rule.substr(1, rule.size() - 2));
  if (!extended) return broken;
  return zone;
}

// "CET-1CEST,M3.5.0,M10.5.0/3": the years after the last one the file lists.
Status TimeZone::extend_by_rule(std::string_view rule) {
  if (rule.empty()) return {};
  Error broken(Code::corrupt, "the rule cannot be read");
  RuleReader reader(rule);
  if (!reader.name()) return broken;
  auto west = reader.time();
  if (!west) return broken;
  int32_t standard = -*west;
  if (reader.done()) {
    if (changes_.empty()) first_offset_ = standard;
    return {};
  }
  if (!reader.name()) return broken;
  int32_t summer = standard + 3600;
  if (!reader.skip(',')) {
    auto summer_west = reader.time();
    if (!summer_west || !reader.skip(',')) return broken;
    summer = -*summer_west;
  }
  auto begin = reader.moment();
  bool comma = reader.skip(',');
  auto end = reader.moment();
  if (!begin || !comma || !end || !reader.done()) return broken;
  int64_t last = changes_.empty() ? INT64_MIN : changes_.back().at;
  int first_year = changes_.empty() ? 1970 : civil_of(std::max<int64_t>(0, last) * 1000).year;
  for (int year = first_year; year <= last_rule_year; ++year) {
    std::array<Change, 2> both = {Change{begin->in(year)-standard, summer},
                                  Change{end->in(year)-summer, standard}};
    if (both[0].at > both[1].at) std::swap(both[0], both[1]);
    for (const Change& change : both) {
      if (changes_.empty() || change.at > changes_.back().at) changes_.push_back(change);
    }
  }
  return {};
}

int32_t TimeZone::offset_at(int64_t instant) const {
  auto after = std::upper_bound(changes_.begin(), changes_.end(), instant,
                                [](int64_t t, const Change& change) { return t < change.at; });
  return after == changes_.begin() ? first_offset_ : std::prev(after)->offset;
}

std::vector<int64_t> TimeZone::instants_of(int64_t local) const {
  std::vector<int64_t> instants;
  auto consider = [&](int32_t offset) {
    int64_t instant = local - offset;
    if (offset_at(instant) != offset) return;
    if (std::find(instants.begin(), instants.end(), instant) == instants.end()) {
      instants.push_back(instant);
    }
  };
  // Every offset that is in force some time around: the instant is at most a day away.
  consider(offset_at(local - offset_secs_max));
  auto change = std::lower_bound(changes_.begin(), changes_.end(), local - offset_secs_max,
                                 [](const Change& c, int64_t t) { return c.at < t; });
  for (; change != changes_.end() && change->at <= local + offset_secs_max; ++change) {
    consider(change->offset);
  }
  std::sort(instants.begin(), instants.end());
  return instants;
}

}  // namespace pinpipe::scheduler
