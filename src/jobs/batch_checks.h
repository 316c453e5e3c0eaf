// The checks that a data set's project file declares, examined by SQL.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/batch_record.h"
#include "project/project.h"
#include "sql/connection.h"

namespace pinpipe::jobs {

// "unique(ind)", "accepted_range(age, 0..120)", "relationships(ind -> clean.geo.ind)"
std::string title_of(const project::Check& check);

// Looks at the session's raw.<dataset> or clean.<dataset>. An error names the place of the check.
Result<CheckResult> examine(sql::Connection& connection, const std::string& dataset, bool is_raw,
                            const project::Check& check);

}  // namespace pinpipe::jobs
