// Every copy of a post on its way: in the log, in an object, read by a run, what its rows became,
// in which version and file of a table, and which answers it counts in. Both paths.
//
// Promise: reads only, and tells what is there now: what the log has removed is traced from its
// object on, what has not come further ends where it is. What a row became is found out anew with
// the project's SQL, on that record alone. A record counts as a copy when one of its rows has the
// value in that column, or under one of the column's synonyms, as number or text.
// Bounds: copies_max copies of each data set and path are told, all are counted. It reads the logs
// and the bucket from end to end, a fetch and an object at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/streams.h"
#include "broker/topics.h"
#include "jobs/batch.h"
#include "lake/services.h"
#include "objects/store.h"
#include "project/project.h"
#include "sql/engine.h"

namespace pinpipe::jobs {

struct TraceOrder {
  std::string value;   // "7528"
  std::string column;  // "ind"
};

struct PlaceInLog {
  std::string name;  // of the topic or stream
  broker::PartitionId partition = 0;
  broker::Offset offset = 0;
  int64_t arrived_ms = 0;
  std::string sequence;  // of a stream's record
  std::string post;      // the request's own mark, where it had one
};

struct PlaceInObject {
  std::string bucket;
  std::string key;
  uint64_t line = 0;
};

// Of one record's rows, those with the value.
struct TracedRows {
  uint64_t rows = 0;  // that could be read
  uint64_t clean = 0;
  int64_t filtered = 0;
  std::vector<std::string> quarantined;  // a reason each
  std::string sample;                    // the first clean row, as JSON
};

struct TracedCopy {
  std::string dataset = {};
  bool by_stream = false;
  std::optional<PlaceInLog> log = {};
  std::optional<PlaceInObject> object = {};  // of the batch path
  std::string run = {};                      // that read the object; empty: none has yet
  lake::Version version = -1;                // of the table, that first had its rows
  std::optional<TracedRows> rows = {};       // once it was read
  std::string text = {};                     // the record, or its line in the object
};

// Where a table has rows of the post.
struct TracedFile {
  std::string path;
  int64_t rows = 0;
  lake::Version since = 0;  // the version that brought the file
};

struct TracedTable {
  std::string dataset;
  bool by_stream = false;
  std::string name;
  lake::Version version = -1;
  bool by_row = true;  // otherwise its SQL looks at more than one row: copies may become one row
  std::vector<TracedFile> files;

  int64_t rows() const;
};

struct TracedAnswer {
  std::string question;
  bool by_stream = false;
  std::vector<std::string> alone;  // the answer's rows if there were only this post
  bool changed = false;            // the answer is another one without it
};

struct Trace {
  static constexpr size_t copies_max = 1000;

  std::vector<TracedCopy> copies;
  std::vector<TracedTable> tables;
  std::vector<TracedAnswer> answers;
  std::vector<std::string> notes;
  uint64_t records_read = 0;
  uint64_t objects_read = 0;
};

class Tracer {
 public:
  // What is pointed to outlives this.
  struct Options {
    const project::Project* project = nullptr;
    broker::Topics* topics = nullptr;
    std::function<Result<broker::StreamPointer>(const std::string&)> find_stream;
    objects::Store* store = nullptr;
    // Of all connectors there are: somebody may have made the one that takes a topic.
    std::function<io::Task<std::vector<std::string>>()> connectors;
    Batch* batch = nullptr;
    const lake::Services* lake = nullptr;
    std::string lake_bucket;
    io::Pool* work = nullptr;
    sql::Engine::Options engine;  // of role jobs
  };

  explicit Tracer(Options options) : options_(std::move(options)) {}

  // `not_found` when no data set has the column.
  io::Task<Result<Trace>> run(TraceOrder order);

 private:
  struct Work;
  io::Task<Status> trace_batch(Work& work, const project::Dataset& dataset);
  io::Task<Status> trace_stream(Work& work, const project::Dataset& dataset);
  io::Task<Result<std::map<broker::PartitionId, broker::Offset>>> committed_of(std::string topic,
                                                                               int32_t partitions);
  io::Task<Status> read_commits(Work& work, const project::Dataset& dataset,
                                const broker::TopicFacts& stream, std::vector<TracedCopy>& copies);
  io::Task<Status> read_runs(Work& work, const project::Dataset& dataset,
                             std::vector<TracedCopy>& copies);
  io::Task<Status> trace_table(Work& work, const project::Dataset& dataset, bool by_stream,
                               std::optional<lake::Version> version);
  io::Task<Status> trace_answers(Work& work, bool by_stream);

  const Options options_;
};

}  // namespace pinpipe::jobs
