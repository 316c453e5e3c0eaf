// live.<dataset>: a stream table's rows and those of the records that the stream holds beyond it,
// cleaned by the same SQL. A record can be asked for as soon as it was acknowledged, and is the
// same row once the job has committed it.
//
// Promise: each record is in it exactly once, whatever the job commits meanwhile: the table is
// taken at one version, and that version says where in the stream it is. Records are read when the
// query reads them, fetch_bytes at a time, on the database's threads. What the job would put into
// quarantine is not in it; a record that the SQL cannot take fails the query until the job has.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/topics.h"
#include "io/loop.h"
#include "jobs/stream_records.h"
#include "lake/location.h"
#include "lake/snapshot.h"
#include "project/project.h"
#include "sql/json_scan.h"

namespace pinpipe::jobs {

struct LiveStream {
  static constexpr size_t fetch_bytes = size_t{1} << 20;

  struct Shard {
    broker::PartitionId id = 0;
    broker::Offset from = 0;
    broker::Offset end = 0;
  };

  const project::Dataset* dataset = nullptr;
  lake::Location location;
  std::shared_ptr<const lake::Snapshot> table;
  std::string stream;
  RecordFilter filter;
  std::vector<Shard> shards;  // those with something beyond the table
  broker::Topics* topics = nullptr;
  io::Loop* loop = nullptr;  // where the topics are asked; never the database's own thread

  // The records, for a view named `live_raw`.<dataset>.
  sql::JsonInput records() const;
  // What live.<dataset> selects. `table_select` reads the table.
  Result<std::string> select(const std::string& table_select) const;
};

// The schema of the view that records() is to have.
inline constexpr const char* live_raw_schema = "live_raw";

}  // namespace pinpipe::jobs
