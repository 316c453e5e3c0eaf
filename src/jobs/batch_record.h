// What the batch job keeps of its runs in its database: which objects each run reads, reports,
// results of checks, quarantined values.
// Promise: a run's inputs are durable before it begins, its report and quarantine in one step.
// Bounds: runs_kept_max runs.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "objects/store.h"
#include "state/database.h"

namespace pinpipe::jobs {

inline constexpr size_t quarantine_max = 100'000;

// Of all loads that made the table, not of the run alone, unless said otherwise.
struct DatasetCount {
  std::string dataset;
  uint64_t objects = 0;
  uint64_t bytes = 0;
  uint64_t lines = 0;        // records, as lines of the objects
  uint64_t values = 0;       // that the lines held: an array of rows holds as many
  uint64_t rows = 0;         // values that could be read
  uint64_t refused = 0;      // values that could not
  uint64_t quarantined = 0;  // raw rows that the project's quarantine SQL takes
  uint64_t clean = 0;
  int64_t version = -1;      // of the clean table
  int64_t filtered = 0;      // raw rows that the clean SQL left out
  uint64_t new_objects = 0;  // that this run read
  std::string load;          // "new objects", or "all: " and why
  std::string meaning;       // digest of the schema and SQL that made the rows
  bool by_row = false;       // that SQL looks at each row alone

  // What was read before, added to what this run read.
  void add(const DatasetCount& before);
};

struct CheckResult {
  std::string dataset;
  std::string stage;  // "raw" or "clean"
  std::string check;  // "unique(ind)"
  bool is_error = true;
  uint64_t failing = 0;  // rows, or groups of equal rows
  std::string sample;    // one that fails

  bool is_ok() const { return failing == 0; }
};

struct BatchReport {
  enum class State { begun, failed, published };

  std::string run;
  int64_t serial = 0;  // rises from run to run
  State state = State::begun;
  std::string error;  // why it failed
  int64_t started_ms = 0;
  int64_t load_ms = 0;   // listing and pinning objects
  int64_t clean_ms = 0;  // decoding, cleaning, writing tables, checking
  int64_t ask_ms = 0;
  std::vector<DatasetCount> counts;
  std::vector<CheckResult> checks;
  std::vector<std::pair<std::string, uint64_t>> answers;  // rows of each question
  std::string answers_sha256;                             // of all their rows

  const DatasetCount* find(std::string_view dataset) const;
  // -1 when the run has no table of it.
  int64_t version_of(std::string_view dataset) const;
  uint64_t failed_checks() const;  // of severity error
};

std::string_view name_of(BatchReport::State state);

struct Quarantined {
  std::string dataset, source, reason, bytes;
  uint64_t line = 0;
  int64_t id = 0;
  int64_t replayed_ms = 0;  // 0: never
};

// The calls block.
class BatchRecords {
 public:
  static constexpr int64_t runs_kept_max = 1000;

  static std::span<const std::string_view> migrations();

  explicit BatchRecords(state::Database* state) : state_(*state) {}

  struct Input {
    std::string key, etag;
    uint64_t bytes = 0;
    int64_t added = 0;  // serial of the run that first read it
  };
  struct Inputs {
    std::vector<Input> objects;  // in key order
    int64_t last_loss = 0;       // serial of the last run that found an object changed or gone
  };
  using Listings = std::map<std::string, std::vector<objects::ObjectFacts>>;  // by data set

  // The run's report with its serial: a new one that reads the listed objects, or the one of that
  // name.
  Result<BatchReport> begin(const std::string& run, int64_t now_ms, const Listings& listings);
  Result<Inputs> inputs(const std::string& dataset, int64_t serial);

  // `keeps`: data sets whose quarantine of former runs stays.
  Status save(const BatchReport& report, const std::vector<Quarantined>& quarantine,
              const std::vector<std::string>& keeps);

  // Newest first; only published ones when asked for.
  Result<std::vector<BatchReport>> reports(size_t count_max, bool only_published);
  Result<BatchReport> find(const std::string& run);

  Result<std::vector<Quarantined>> quarantine(size_t count_max);
  Result<Quarantined> quarantined(int64_t id);
  Status mark_replayed(int64_t id, int64_t now_ms);

 private:
  state::Database& state_;
};

}  // namespace pinpipe::jobs
