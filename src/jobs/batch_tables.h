// The batch job's Delta tables, one for each data set: <id>_pin_clean and its like.
// A run overwrites them one after the other; which versions belong together is kept with the run.
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

  // The rows of clean.<dataset> of this session, as files of no table yet. Blocks.
  Result<lake::Encoded> encode(sql::Connection& connection, const std::string& dataset,
                               std::stop_token stop) const;
  // The table's next version has these rows and no others.
  io::Task<Result<lake::Version>> publish(const project::Dataset& dataset, lake::Encoded rows,
                                          lake::CommitFacts facts);
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
