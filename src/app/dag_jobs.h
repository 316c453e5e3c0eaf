// What the scheduler's jobs are here. `batch` is the pipeline's; the others serve DAG files.
#pragma once

#include "jobs/batch.h"
#include "project/project.h"
#include "scheduler/scheduler.h"

namespace pinpipe::app {

// All have to outlive the scheduler's run.
void register_jobs(scheduler::Scheduler& scheduler, jobs::Batch& batch,
                   const project::Project& project);

// Reports what of the project's DAGs and notebooks the scheduler could not follow: schedules, time
// zones, pools, jobs that there are not. Blocks.
void check_dags(const project::Project& project, project::Diagnostics& out);

// The job for what is not mapped, as the project's notebooks say.
scheduler::NotebookJobs notebook_jobs(const project::Project& project);

}  // namespace pinpipe::app
