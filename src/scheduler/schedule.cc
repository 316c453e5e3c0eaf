#include "scheduler/schedule.h"

#include <algorithm>

#include "base/clock.h"

namespace pinpipe::scheduler {

Result<Schedule> Schedule::of(const project::DagSpec& dag, io::Files& files) {
  Schedule schedule;
  schedule.catchup_ = dag.catchup;
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
  auto cron = Cron::parse(dag.schedule);
  if (!cron) return cron.error().with("schedule");
  schedule.kind_ = Kind::cron;
  schedule.cron_ = std::move(*cron);
  return schedule;
}

std::optional<int64_t> Schedule::next_ms(int64_t last_fired_ms, int64_t first_seen_ms) const {
  if (kind_ == Kind::by_hand) return std::nullopt;
  if (kind_ == Kind::once) {
    if (last_fired_ms != 0) return std::nullopt;
    return std::max(start_ms_, first_seen_ms);
  }
  int64_t base = last_fired_ms;
  if (base == 0) base = catchup_ && start_ms_ != 0 ? start_ms_ - 1 : first_seen_ms;
  return cron_->next_after(std::max(base, start_ms_ - 1), zone_);
}

int64_t Schedule::fire_ms(int64_t next_ms, int64_t now_ms) const {
  if (kind_ != Kind::cron || catchup_) return next_ms;
  return std::max(next_ms, cron_->last_until(now_ms, zone_).value_or(next_ms));
}

void check_schedules(const project::Project& project, io::Files& files, project::Diagnostics& out) {
  for (const project::DagSpec& dag : project.dags) {
    auto schedule = Schedule::of(dag, files);
    if (schedule) continue;
    bool zone = schedule.error().text().starts_with("timezone");
    out.add(project::problems::out_of_range, zone ? dag.timezone_at : dag.schedule_at,
            "DAG " + dag.id + ": " + schedule.error().text());
  }
}

}  // namespace pinpipe::scheduler
