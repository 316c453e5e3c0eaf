// The books of both paths: whether what each hop has is what the hop before it handed on.
//
//   posts    sent = acknowledged + failed + unknown
//            acknowledged ≤ records ≤ acknowledged + unknown + retried
//   records  = those in objects + those that the connector keeps apart      (stream: those in
//   commits) lines    = records in objects, values = Σ rows of each record values   = clean +
//   filtered + quarantined clean    = rows in the table
//
// Promise: every number is what its own hop says; none is worked out from another.
#pragma once

#include <string>
#include <vector>

#include "app/answer.h"
#include "base/result.h"
#include "io/task.h"
#include "source/emulator.h"

namespace pinpipe::app {

class House;

// One data set's numbers on one path, since its topic or stream was made.
struct PathCount {
  std::string dataset;
  bool by_stream = false;
  int64_t records = 0;      // ever written to the topic or stream
  int64_t skipped = 0;      // that the connector keeps out of objects: no JSON, no value; stream:
                            // that lie before where reading began
  int64_t carried = 0;      // that the connector, or the stream's table, is beyond
  int64_t lines = 0;        // that the last run found in the objects; stream: that commits have
  int64_t values = 0;       // that those held
  int64_t clean = 0;        // rows that the SQL made
  int64_t filtered = 0;     // rows that it left out
  int64_t quarantined = 0;  // values that could not be read, or that it set aside
  int64_t table_rows = 0;   // that the table itself says it has
  bool whole = true;        // otherwise only records and carried were looked at
  std::string unknown;      // why the hops behind the records cannot be told; empty: they can
};

struct Finding {
  enum class Kind {
    on_its_way,  // the next hop has not got it yet
    surplus,     // a hop has more than it was given
    lost,        // a hop has less than it was given, and nothing is on its way
    unknown,
  };
  Kind kind = Kind::on_its_way;
  std::string text;

  bool is_wrong() const { return kind == Kind::surplus || kind == Kind::lost; }
};

// What does not close; nothing when all does.
std::vector<Finding> audit(const PathCount& count);
// Of one emulation, with the records that its topics or streams have got meanwhile.
std::vector<Finding> audit(const source::Tally& tally, uint64_t stored);

// How closely a stream's table is looked at: its position costs nothing, its rows are told by all
// of its commits.
enum class Depth { positions, commits };

// Batch paths, then stream paths, in the order of the data sets.
io::Task<Result<std::vector<PathCount>>> count_paths(House& house, Depth depth = Depth::commits);

// A row for each path; what does not close is a note, and a wrong thing fails the answer.
Answer answer_of(const std::vector<PathCount>& counts);

}  // namespace pinpipe::app
