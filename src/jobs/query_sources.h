// From the names in a query to what a session must have before it can run. Finding out is done on a
// loop, making the views on the work pool.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "jobs/questions.h"
#include "sql/connection.h"
#include "sql/references.h"

namespace pinpipe::jobs {

// One view of a session and what has to live as long as it is read.
struct QuerySource {
  sql::TableName view;
  std::string select = {};  // unless one of the inputs is set
  std::optional<sql::JsonInput> json = {};
  std::optional<sql::RowInput> rows = {};
  std::vector<objects::Store::Pinned> held = {};
};

struct QuerySources {
  std::vector<QuerySource> sources;
  std::vector<sql::Substitution> substitutions;  // rising, as Connection::ask wants them
  bool is_live = false;                          // what a stream holds beyond its table is read

  Status make_views(sql::Connection& connection) const;
};

// The lake's tables, listed anew when the last list is older than age_max_ms: most names in a query
// are columns, and a listing reads every table's folder.
class LakeNames {
 public:
  static constexpr int64_t age_max_ms = 2'000;
  using Names = std::shared_ptr<const std::vector<std::string>>;

  // As it is written, when there is such a table now; else as a table that differs by case is, of
  // those that were there age_max_ms ago. Empty: none.
  io::Task<Result<std::string>> find(const Questions::Options& options, std::string name);

 private:
  io::Task<Result<Names>> listed(const Questions::Options& options);

  std::mutex mutex_;
  Names names_;
  int64_t listed_ms_ = 0;
};

// Names that nothing here knows are left to the database, which may know them (a WITH, an alias).
io::Task<Result<QuerySources>> find_sources(const Questions::Options& options, LakeNames& names,
                                            std::string sql);

// "clean.pin", "raw.pin", "df_pin", tables of the lake, of the project.
io::Task<Result<std::vector<std::string>>> known_names(const Questions::Options& options);

}  // namespace pinpipe::jobs
