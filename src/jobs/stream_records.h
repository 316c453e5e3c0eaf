// A micro-batch: records of one stream that go into one commit, and how they are laid out as JSON
// lines for the SQL engine.
// Promise: every record is a line, belongs to another data set, or is refused with a reason. Line n
// of a piece is the record at the piece's first offset + n − 1: that is how a refusal finds back to
// its record. Bounds: one copy of the records' bytes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/topics.h"
#include "sql/json_scan.h"

namespace pinpipe::jobs {

struct StreamBatch {
  struct Part {
    broker::PartitionId shard = 0;
    broker::Fetched fetched;
  };
  std::vector<Part> parts;                             // of one shard in order
  std::map<broker::PartitionId, broker::Offset> ends;  // the offset behind the last record
  size_t bytes = 0;
  size_t records = 0;
  bool is_replay = false;  // what is bad in it is in quarantine already

  void add(broker::PartitionId shard, broker::Fetched fetched);
};

// A record, or one row of it, that cannot be used.
struct RefusedRecord {
  broker::PartitionId shard = 0;
  broker::Offset offset = 0;
  int64_t arrived_ms = 0;
  std::string reason;
  std::string bytes;
};

// Whose records a follower takes.
struct RecordFilter {
  // Of all data sets that share the stream; empty when it has the stream for itself.
  std::vector<std::string> datasets;
  size_t own = 0;

  // Nothing: the key names no data set.
  std::optional<size_t> owner(const std::optional<std::string_view>& key) const;
};

// Which of a batch's own records become lines, by their number in it, and which are refused without
// being read.
struct RecordChoice {
  size_t first = 0;
  size_t last = SIZE_MAX;                                  // not included
  const std::map<size_t, std::string>* refused = nullptr;  // with the reason

  bool is_chosen(size_t record) const { return record >= first && record < last; }
};

struct StreamLines {
  std::vector<sql::Piece> pieces;
  std::vector<RefusedRecord> refused;
  uint64_t lines = 0;
  uint64_t records = 0;   // of this data set: lines and refused
  int64_t oldest_ms = 0;  // of those; 0: none
};

StreamLines lines_of(const StreamBatch& batch, const std::string& stream,
                     const RecordFilter& filter, const RecordChoice& choice = {});

// The record that a piece's line was; `source` and `line` as the decoder tells them.
RefusedRecord record_at(const StreamBatch& batch, std::string_view source, uint64_t line);

}  // namespace pinpipe::jobs
