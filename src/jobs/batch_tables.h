// The batch job's Delta tables, one for each data set: <id>_pin_clean and its like.
// A run writes them one after the other; which versions belong together is kept with the run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/task.h"
#include "lake/table.h"
#include "project/project.h"

namespace pinpipe::jobs {

// A table at one version, its files held on this machine's disk until the value goes.
struct PinnedTable {
  std::string dataset;
  lake::Version version = -1;
  std::vector<objects::Store::Pinned> files;
  lake::Schema schema;

  // FROM clause over the files; a table without files is one without rows.
  std::string select() const;
};

class BatchTables {
 public:
  // `bucket` of the services' store is made when it is absent.
  BatchTables(const lake::Services& services, std::string bucket)
      : services_(services), bucket_(std::move(bucket)) {}

  // The rows of a session's view, as files of no table yet. Blocks.
  Result<lake::Encoded> encode(sql::Connection& connection, const sql::TableName& view,
                               std::stop_token stop) const;
  // What reads those rows before they are part of a table.
  static std::string select(const lake::Encoded& rows);
  // The table's next version has these rows too, or these and no others.
  io::Task<Result<lake::Version>> publish(const project::Dataset& dataset, lake::WriteMode mode,
                                          lake::Encoded rows, lake::CommitFacts facts);
  // The newest version, whoever wrote it.
  io::Task<Result<lake::Version>> head(const project::Dataset& dataset);
  // `not_found` when the table or the version is not there.
  io::Task<Result<PinnedTable>> pin(const project::Dataset& dataset, lake::Version version);

 private:
  lake::Location location_of(const project::Dataset& dataset) const {
    return {bucket_, dataset.tables.batch};
  }

  const lake::Services& services_;
  std::string bucket_;
};

}  // namespace pinpipe::jobs
