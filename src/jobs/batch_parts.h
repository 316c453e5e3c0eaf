// What the steps of a batch run hand each other. For batch.cc and batch_plan.cc alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/files.h"
#include "jobs/batch.h"

namespace pinpipe::jobs {

// A digest that changes when rows would come out otherwise from the same objects.
std::string meaning_of(const project::Dataset& dataset);

// One data set of a run: what it reads and how.
struct Batch::Load {
  const project::Dataset* dataset = nullptr;
  ObjectPlace place;
  std::vector<BatchRecords::Input> inputs;  // all of the run's
  int64_t last_loss = 0;
  // Set when the run adds to what the last one left.
  std::optional<DatasetCount> before;
  std::optional<PinnedTable> table;               // as it was left
  std::string why_all;                            // otherwise
  std::shared_ptr<const DatasetObjects> objects;  // that are read now

  bool is_increment() const { return before.has_value(); }
};

// What a run has made, before any of it counts. Files that nobody took over go with it.
struct Batch::Made {
  Made() = default;
  Made(Made&&) = default;
  ~Made() {
    for (const Table& table : tables) {
      for (const lake::DataFile& file : table.rows.files)
        (void)io::posix_files().remove(file.temporary_path);
    }
  }

  BatchReport report;
  std::vector<Quarantined> quarantine;
  std::vector<std::string> keeps;  // data sets whose earlier quarantine stays
  struct Table {
    const project::Dataset* dataset = nullptr;
    lake::Encoded rows;
    lake::WriteMode mode = lake::WriteMode::overwrite;
  };
  std::vector<Table> tables;
};

}  // namespace pinpipe::jobs
