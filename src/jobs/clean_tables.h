// The clean tables of the last good batch run, as Parquet files that are published together.
// Promise: readers see the tables of one run, whole; files of older runs stay until the next
// publish so that a query that has begun can end. Durable when publish() returned. Blocking; on the
// work pool.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/files.h"
#include "sql/connection.h"

namespace pinpipe::jobs {

struct CleanTable {
  std::string dataset;
  std::vector<std::string> files;  // absolute paths
  int64_t rows = 0;
};

struct Publication {
  std::string run;  // empty: nothing was ever published
  std::vector<CleanTable> tables;
};

class CleanTables {
 public:
  CleanTables(io::Files& files, std::string directory);

  // Writes the rows of clean.<dataset> of this session for `run`, synced but not yet published.
  Result<CleanTable> write(sql::Connection& connection, const std::string& dataset,
                           const std::string& run);
  // Makes these the current tables, and removes files that neither these nor the last ones use.
  Status publish(const Publication& publication);
  Result<Publication> current();

 private:
  std::string pointer() const { return directory_ + "/current.json"; }
  void remove_unused(const Publication& now, const Publication& before);

  io::Files& files_;
  std::string directory_;
};

}  // namespace pinpipe::jobs
