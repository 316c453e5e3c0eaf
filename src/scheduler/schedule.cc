#include "scheduler/schedule.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/clock.h"
#include "project/nearest.h"

namespace pinpipe::scheduler {
namespace {

// "@every 300s", "@every 5m", "@every 12h", "@every 1d"
Result<int64_t> every_ms_of(std::string_view text) {
  text.remove_prefix(std::string_view("@every ").size());
  int64_t number = 0;
  const char* end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, number);
  std::string_view unit(read.ptr, static_cast<size_t>(end - read.ptr));
  int64_t unit_ms = unit == "s"   ? 1000
                    : unit == "m" ? 60'000
                    : unit == "h" ? 3'600'000
                    : unit == "d" ? 86'400'000
                                  : 0;
  constexpr int64_t number_max = 100'000'000;
  if (read.ec != std::errc() || unit_ms == 0 || number < 1 || number > number_max) {
    return Error(Code::invalid, "\"@every\" needs a number and s, m, h or d: @every 5m");
  }
  return number * unit_ms;
}

}  // namespace

Result<Schedule> Schedule::of(const project::DagSpec& dag, io::Files& files) {
  Schedule schedule;
  schedule.catchup_ = dag.catchup;
  schedule.interval_dates_ = dag.interval_dates;
  auto zone = TimeZone::find(files, dag.timezone);
  if (!zone) return zone.error().with("timezone");
  schedule.zone_ = std::move(*zone);
  if (!dag.start_date.empty()) {
    std::string text = dag.start_date.size() == 10 ? dag.start_date + "T00:00:00" : dag.start_date;
    bool utc = text.ends_with('Z');
    auto local = from_rfc3339(utc ? text : text + "Z");
    if (!local) return Error(Code::invalid, "start_date: \"" + dag.start_date + "\" is no date");
    auto instants = schedule.zone_.instants_of(*local / 1000);
    schedule.start_ms_ = utc || instants.empty() ? *local : instants.front() * 1000;
  }
  if (dag.schedule.empty() || dag.schedule == "none") return schedule;
  if (dag.schedule == "@once") {
    schedule.kind_ = Kind::once;
    return schedule;
  }
  if (dag.schedule.starts_with("@every ")) {
    auto every = every_ms_of(dag.schedule);
    if (!every) return every.error().with("schedule");
    schedule.kind_ = Kind::every;
    schedule.every_ms_ = *every;
    return schedule;
  }
  auto cron = Cron::parse(dag.schedule);
  if (!cron) return cron.error().with("schedule");
  schedule.kind_ = Kind::cron;
  schedule.cron_ = std::move(*cron);
  return schedule;
}

// Multiples of the period from the start date, which is 1970 where none is given.
std::optional<int64_t> Schedule::next_after(int64_t at_ms) const {
  if (kind_ == Kind::cron) return cron_->next_after(at_ms, zone_);
  int64_t passed = at_ms - start_ms_;
  if (passed < 0) return start_ms_;
  return start_ms_ + (passed / every_ms_ + 1) * every_ms_;
}

std::optional<int64_t> Schedule::last_until(int64_t at_ms) const {
  if (kind_ == Kind::cron) return cron_->last_until(at_ms, zone_);
  int64_t passed = at_ms - start_ms_;
  int64_t periods = passed >= 0 ? passed / every_ms_ : -((-passed + every_ms_ - 1) / every_ms_);
  return start_ms_ + periods * every_ms_;
}

std::optional<int64_t> Schedule::next_ms(int64_t last_fired_ms, int64_t first_seen_ms) const {
  if (kind_ == Kind::by_hand) return std::nullopt;
  if (kind_ == Kind::once) {
    if (last_fired_ms != 0) return std::nullopt;
    return std::max(start_ms_, first_seen_ms);
  }
  int64_t base = last_fired_ms;
  if (base == 0) base = catchup_ && start_ms_ != 0 ? start_ms_ - 1 : first_seen_ms;
  auto next = next_after(std::max(base, start_ms_ - 1));
  // The first interval begins with the start date, so it is due one moment later.
  while (next && interval_dates_ && logical_ms(*next) < start_ms_) next = next_after(*next);
  return next;
}

int64_t Schedule::fire_ms(int64_t next_ms, int64_t now_ms) const {
  bool repeats = kind_ == Kind::cron || kind_ == Kind::every;
  if (!repeats || catchup_) return next_ms;
  return std::max(next_ms, last_until(now_ms).value_or(next_ms));
}

int64_t Schedule::logical_ms(int64_t due_ms) const {
  bool repeats = kind_ == Kind::cron || kind_ == Kind::every;
  if (!repeats || !interval_dates_) return due_ms;
  return last_until(due_ms - 1).value_or(due_ms);
}

std::vector<int64_t> Schedule::due_between(int64_t from_ms, int64_t to_ms, size_t most) const {
  std::vector<int64_t> moments;
  if (kind_ == Kind::by_hand || kind_ == Kind::once) return moments;
  auto due = next_after(std::max(from_ms, start_ms_) - 1);
  while (due && moments.size() < most) {
    int64_t logical = logical_ms(*due);
    if (logical > to_ms) break;
    if (logical >= std::max(from_ms, start_ms_)) moments.push_back(*due);
    due = next_after(*due);
  }
  return moments;
}

void check_schedules(const project::Project& project, io::Files& files, project::Diagnostics& out) {
  std::vector<std::string> pools{std::string(default_pool)};
  for (const auto& [name, slots] : project.pools) pools.push_back(name);
  for (const project::DagSpec& dag : project.dags) {
    for (const project::TaskSpec& task : dag.tasks) {
      if (task.pool.empty() || std::ranges::find(pools, task.pool) != pools.end()) continue;
      out.add(project::problems::unknown_name, dag.schedule_at,
              "task " + task.id + " of DAG " + dag.id + " runs in pool " + task.pool +
                  ", which is not under pools: in pinpipe.yaml",
              {.hint = project::did_you_mean(task.pool, pools)});
    }
    auto schedule = Schedule::of(dag, files);
    if (schedule) continue;
    bool zone = schedule.error().text().starts_with("timezone");
    out.add(project::problems::out_of_range, zone ? dag.timezone_at : dag.schedule_at,
            "DAG " + dag.id + ": " + schedule.error().text());
  }
}

}  // namespace pinpipe::scheduler
