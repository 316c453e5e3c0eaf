// What the project's SQL makes of a post: of a record's rows alone, and of the answers with it,
// with nothing else, and without it. Blocks; belongs on the work pool.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/answers.h"
#include "jobs/trace.h"
#include "jobs/trace_find.h"
#include "sql/engine.h"

namespace pinpipe::jobs {

class TraceSession {
 public:
  static Result<std::unique_ptr<TraceSession>> open(const sql::Engine::Options& options,
                                                    const project::Project& project,
                                                    TraceOrder order);

  // Of the record's rows with the value. `source` and `line` say where it is, as the load does.
  Result<TracedRows> rows_of(const project::Dataset& dataset, const PostFinder& finder,
                             const std::string& source, uint64_t line, const std::string& text);

  // How many rows of the SELECT have the value; nothing when it has no such column.
  Result<std::optional<int64_t>> count(const std::string& select);

  // The questions over these tables: a data set and a SELECT each.
  struct Table {
    std::string dataset;
    std::string select;
  };
  Result<std::vector<TracedAnswer>> answers(const std::vector<Table>& tables);

 private:
  TraceSession(const project::Project& project, TraceOrder order)
      : project_(project), order_(std::move(order)) {}
  std::string condition() const;
  Result<bool> has_column(const std::string& select);
  enum class Which { all, alone, without };
  Result<std::vector<QuestionAnswer>> ask(const std::vector<Table>& tables, Which which);
  Status take_clean(const project::Dataset& dataset, TracedRows& into);

  const project::Project& project_;
  const TraceOrder order_;
  std::shared_ptr<sql::Engine> engine_;
  std::unique_ptr<sql::Connection> connection_;
};

}  // namespace pinpipe::jobs
