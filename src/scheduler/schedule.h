// When a DAG starts by itself: never, once, as its cron expression says in its time zone, or every
// so many seconds from its start date ("@every 300s"). The logical date of a run is the moment it
// was due (Airflow 3's trigger semantics), or, with interval dates, the due moment before: the
// begin of the interval that has passed (Airflow 2's).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/files.h"
#include "project/diagnostic.h"
#include "project/project.h"
#include "scheduler/cron.h"
#include "scheduler/time_zone.h"

namespace pinpipe::scheduler {

// Where tasks run that name no pool.
inline constexpr std::string_view default_pool = "default_pool";

class Schedule {
 public:
  // Blocks: reads the time zone's file. The error names the key that is wrong.
  static Result<Schedule> of(const project::DagSpec& dag, io::Files& files);

  // The next moment the DAG is due: after the last one it was started for, or, for a DAG that never
  // ran, after it was first seen (with catch-up: from its start date).
  std::optional<int64_t> next_ms(int64_t last_fired_ms, int64_t first_seen_ms) const;
  // `next_ms` has passed: which moment the run stands for. Without catch-up that is the latest one
  // due, so that a machine that slept for a week runs once.
  int64_t fire_ms(int64_t next_ms, int64_t now_ms) const;
  // The logical date of the run that is due at `due_ms`.
  int64_t logical_ms(int64_t due_ms) const;
  // The due moments of the runs whose logical dates lie in [from, to], at most `most` of them.
  std::vector<int64_t> due_between(int64_t from_ms, int64_t to_ms, size_t most) const;

 private:
  enum class Kind { by_hand, once, cron, every };
  std::optional<int64_t> next_after(int64_t at_ms) const;
  std::optional<int64_t> last_until(int64_t at_ms) const;

  Kind kind_ = Kind::by_hand;
  bool catchup_ = false;
  bool interval_dates_ = false;
  int64_t every_ms_ = 0;
  int64_t start_ms_ = 0;
  TimeZone zone_ = TimeZone::utc();
  std::optional<Cron> cron_;
};

// Reports the schedules, time zones and pools of a project that cannot be followed. Blocks.
void check_schedules(const project::Project& project, io::Files& files, project::Diagnostics& out);

}  // namespace pinpipe::scheduler
