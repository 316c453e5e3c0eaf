// How StreamFollower keeps its tables in order while it follows: few files, a short log.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/log_line.h"
#include "jobs/stream_follower.h"
#include "lake/optimize.h"
#include "lake/vacuum.h"

namespace pinpipe::jobs {
namespace {

constexpr Millis keeping_interval{500};
constexpr Millis pause_after_failure{30'000};
constexpr int64_t sweep_interval_ms = 1'800'000;
constexpr int64_t sweep_first_ms = 60'000;
constexpr int64_t file_bytes_target = int64_t{128} << 20;

// Files are merged with others of their size, so that a row is written again a few times in all
// and not with each batch: thirty of a batch's, then eight of those, then eight of these. What is
// smaller goes along with the larger.
struct Tier {
  int64_t bytes_max;
  size_t files;
};
constexpr std::array<Tier, 3> tiers = {
    {{int64_t{1} << 20, 30}, {int64_t{8} << 20, 8}, {int64_t{64} << 20, 8}}};

// The bound below which files are to be merged; 0: they are few enough.
int64_t small_bytes_of(const lake::Snapshot& snapshot) {
  std::array<size_t, tiers.size()> counts{};
  for (const lake::FilePtr& file : snapshot.files()) {
    auto tier =
        std::ranges::find_if(tiers, [&](const Tier& one) { return file->size < one.bytes_max; });
    if (tier != tiers.end()) ++counts[static_cast<size_t>(tier - tiers.begin())];
  }
  int64_t bytes = 0;
  for (size_t i = 0; i < tiers.size(); ++i) {
    if (counts[i] >= tiers[i].files) bytes = tiers[i].bytes_max;
  }
  return bytes;
}

}  // namespace

// Readers of older versions keep their files for as long as the table's retention says, and appends
// never conflict with what happens here.
io::Task<> StreamFollower::keep_tables() {
  int64_t swept_ms = options_.clock->steady_ms() - sweep_interval_ms + sweep_first_ms;
  Millis pause = keeping_interval;
  while (co_await io::sleep_for(pause)) {
    bool sweeps = options_.clock->steady_ms() - swept_ms >= sweep_interval_ms;
    if (sweeps) swept_ms = options_.clock->steady_ms();
    Status kept;
    for (lake::Table* table : {table_.get(), quarantine_.get()}) {
      if (table == nullptr || !kept) continue;
      kept = co_await compact(*table);
      co_await table->keep_log();
      if (kept && sweeps) kept = co_await sweep(*table);
    }
    note_table();
    // Who loses a race against a commit that removes files finds fewer of them next time.
    bool failed = !kept && kept.error().code() != Code::conflict && !co_await io::cancelled();
    pause = failed ? pause_after_failure : keeping_interval;
    if (failed)
      log_warn("jobs", "a stream table cannot be compacted or swept",
               {{"dataset", dataset_.name}, {"reason", kept.error().text()}});
  }
}

io::Task<Status> StreamFollower::compact(lake::Table& table) {
  int64_t small_bytes = small_bytes_of(*table.snapshot());
  if (small_bytes == 0) co_return Status{};
  auto done = co_await lake::optimize(table, {.small_bytes = small_bytes,
                                              .target_bytes = file_bytes_target,
                                              .stop = keeping_stop_.get_token()});
  if (!done) co_return done.error();
  status_.compacted_files += static_cast<uint64_t>(done->files_removed);
  co_return Status{};
}

// Deletes what has outlived the table's own retention.
io::Task<Status> StreamFollower::sweep(lake::Table& table) {
  auto deleted = co_await lake::vacuum(table);
  if (!deleted) co_return deleted.error();
  auto cleaned = co_await lake::clean_log(table);
  if (!cleaned) co_return cleaned.error();
  co_return Status{};
}

}  // namespace pinpipe::jobs
