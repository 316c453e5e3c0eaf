// The project's questions over live.<data set>: the stream job's tables and what the streams hold
// beyond them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/questions.h"

namespace pinpipe::jobs {

// The named question, or all with an empty name, each over what is there when its turn comes.
io::Task<Result<std::vector<QuestionAnswer>>> ask_live(Questions& questions,
                                                       const project::Project& project,
                                                       std::string question);

// The SQL with live.x where it says clean.x or df_x. `not_found` when a data set that it names has
// no stream.
Result<std::string> over_live_tables(const project::Project& project, const std::string& sql);

}  // namespace pinpipe::jobs
