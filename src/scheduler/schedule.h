// When a DAG starts by itself: never, once, or as its cron expression says, in its time zone.
// Airflow 3's trigger semantics: the logical date of a run is the moment it was due.
#pragma once

#include <optional>

#include "base/result.h"
#include "io/files.h"
#include "project/diagnostic.h"
#include "project/project.h"
#include "scheduler/cron.h"
#include "scheduler/time_zone.h"

namespace pinpipe::scheduler {

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

 private:
  enum class Kind { by_hand, once, cron };
  Kind kind_ = Kind::by_hand;
  bool catchup_ = false;
  int64_t start_ms_ = 0;
  TimeZone zone_ = TimeZone::utc();
  std::optional<Cron> cron_;
};

// Reports the schedules and time zones of a project that cannot be read. Blocks.
void check_schedules(const project::Project& project, io::Files& files, project::Diagnostics& out);

}  // namespace pinpipe::scheduler
