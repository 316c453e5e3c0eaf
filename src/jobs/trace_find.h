// Looking for a post's copies: in the log's records and in the bucket's objects, and which of the
// one is which of the other.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "broker/streams.h"
#include "broker/topics.h"
#include "codec/json.h"
#include "io/pool.h"
#include "jobs/dataset_objects.h"
#include "jobs/stream_records.h"
#include "jobs/trace.h"

namespace pinpipe::jobs {

// What a record must have to be a copy.
class PostFinder {
 public:
  // `names`: of the column in a record, its synonyms too.
  PostFinder(std::vector<std::string> names, std::string value);

  // How many rows of the record have the value: of an object none or one, of an array any number;
  // JSON in a JSON string, and base64 of it, is looked into as the decoder does.
  size_t rows_in(std::string_view record) const;

 private:
  size_t rows_of(const codec::Json& value, int encodings) const;

  std::vector<std::string> names_;
  std::string value_;
  bool is_plain_ = false;  // letters and digits: looks the same in every JSON that is not encoded
};

struct LogScan {
  static constexpr size_t fetch_bytes = size_t{4} << 20;

  broker::Topics* topics = nullptr;
  std::string name;
  int32_t partitions = 1;
  broker::StreamPointer stream;  // null: a topic
  RecordFilter filter = {};      // of a stream that data sets share
  io::Pool* work = nullptr;      // where records are looked into: no loop waits for that
};

// Calls `found` with each copy in the log, partition by partition; the number of records read.
io::Task<Result<uint64_t>> find_in_log(LogScan scan, const PostFinder& finder,
                                       std::function<void(TracedCopy)> found);

// Calls `found` with each copy in the place's objects, in key order; the number of objects read.
io::Task<Result<uint64_t>> find_in_objects(objects::Store& store, io::Pool& work, ObjectPlace place,
                                           const PostFinder& finder,
                                           std::function<void(TracedCopy)> found);

// Both of one topic as copies in the order of the log; `committed` is where the connector is in
// each partition. An object's name says at which offset it begins, and its lines are in the log's
// order: from the last copy on, each one in the log is the last one left in the object that begins
// at or before it. What the log has removed is left with its object alone.
std::vector<TracedCopy> pair_copies(std::vector<TracedCopy> in_log,
                                    std::vector<TracedCopy> in_objects,
                                    const std::map<broker::PartitionId, broker::Offset>& committed);

}  // namespace pinpipe::jobs
