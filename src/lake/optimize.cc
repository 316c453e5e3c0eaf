#include "lake/optimize.h"

#include <algorithm>
#include <fmt/format.h>

#include "io/files.h"
#include "lake/scan.h"

namespace pinpipe::lake {
namespace {

constexpr int optimize_attempts_max = 3;

using Bin = std::vector<FilePtr>;

// Small files in the order in which they were written, so that neighbours in time stay neighbours
// and their statistics stay narrow.
std::vector<Bin> choose_bins(const Snapshot& snapshot, const OptimizeOptions& options) {
  Bin candidates;
  for (const FilePtr& file : snapshot.files()) {
    if (file->size < options.small_bytes) candidates.push_back(file);
  }
  std::ranges::sort(candidates, [](const FilePtr& a, const FilePtr& b) {
    return std::tie(a->modified_ms, a->path) < std::tie(b->modified_ms, b->path);
  });
  std::vector<Bin> bins(1);
  int64_t bytes = 0;
  for (FilePtr& file : candidates) {
    if (!bins.back().empty() && bytes + file->size > options.target_bytes) {
      bins.emplace_back();
      bytes = 0;
    }
    bytes += file->size;
    bins.back().push_back(std::move(file));
  }
  std::erase_if(
      bins, [&](const Bin& bin) { return bin.size() < std::max(options.files_min, size_t{2}); });
  return bins;
}

// Rewriting must not change how many rows there are; a file without statistics cannot be checked.
Status check_rows(const Bin& bin, const Encoded& data) {
  int64_t expected = 0;
  for (const FilePtr& file : bin) {
    auto rows = rows_of_stats(file->stats);
    if (!rows) return {};
    expected += *rows;
  }
  if (expected == data.rows()) return {};
  return Error(Code::corrupt, fmt::format("the files hold {} rows, but their statistics say {}",
                                          data.rows(), expected));
}

io::Task<Result<Encoded>> rewrite(Table& table, std::shared_ptr<const Snapshot> snapshot,
                                  const Bin& bin, const OptimizeOptions& options) {
  const Services& services = table.services();
  auto scanned = co_await scan_files(services, table.location(), snapshot, bin);
  if (!scanned) co_return scanned.error();
  std::string temporary = services.store.new_temporary();
  auto work = [&]() -> Result<Encoded> {
    auto connection = services.connect();
    if (!connection) return connection.error();
    return encode(**connection, scanned->select, temporary,
                  {.table = &snapshot->schema(), .stop = options.stop});
  };
  auto data = co_await services.work.run(work);
  if (!data) co_return data;
  auto checked = check_rows(bin, *data);
  if (!checked) {
    (void)io::posix_files().remove(temporary);
    co_return checked.error();
  }
  co_return data;
}

CommitInfo optimize_info(const Services& services, const OptimizeOutcome& outcome,
                         const OptimizeOptions& options) {
  CommitInfo info = new_commit_info(services.clock, "OPTIMIZE");
  info.is_blind_append = false;
  info.parameters = {{"predicate", "[]"}, {"targetSize", fmt::format("{}", options.target_bytes)}};
  info.metrics = {{"numRemovedFiles", fmt::format("{}", outcome.files_removed)},
                  {"numAddedFiles", fmt::format("{}", outcome.files_added)},
                  {"numRemovedBytes", fmt::format("{}", outcome.bytes_removed)},
                  {"numAddedBytes", fmt::format("{}", outcome.bytes_added)}};
  return info;
}

void drop_temporaries(const std::vector<DataFile>& data) {
  for (const DataFile& file : data) (void)io::posix_files().remove(file.temporary_path);
}

io::Task<Result<OptimizeOutcome>> try_optimize(Table& table, const OptimizeOptions& options) {
  auto snapshot = co_await table.refresh();
  if (!snapshot) co_return snapshot.error();
  if (auto writable = (*snapshot)->check_writable(); !writable) co_return writable.error();
  OptimizeOutcome outcome{.version = (*snapshot)->version()};
  std::vector<DataFile> data;
  std::vector<FilePtr> replaced;
  for (const Bin& bin : choose_bins(**snapshot, options)) {
    auto written = co_await rewrite(table, *snapshot, bin, options);
    if (!written) {
      drop_temporaries(data);
      co_return written.error();
    }
    for (const FilePtr& file : bin) outcome.bytes_removed += file->size;
    for (DataFile& file : written->files) {
      outcome.bytes_added += file.bytes;
      data.push_back(std::move(file));
    }
    replaced.insert(replaced.end(), bin.begin(), bin.end());
  }
  if (replaced.empty()) co_return outcome;
  outcome.files_removed = static_cast<int64_t>(replaced.size());
  outcome.files_added = static_cast<int64_t>(data.size());
  auto version = co_await table.replace_files(optimize_info(table.services(), outcome, options),
                                              std::move(data), std::move(replaced), *snapshot);
  if (!version) co_return version.error();
  outcome.version = *version;
  co_return outcome;
}

}  // namespace

io::Task<Result<OptimizeOutcome>> optimize(Table& table, OptimizeOptions options) {
  for (int attempt = 1;; ++attempt) {
    auto outcome = co_await try_optimize(table, options);
    bool lost = !outcome && outcome.error().code() == Code::conflict;
    if (!lost || attempt == optimize_attempts_max) co_return outcome;
  }
}

io::Task<Result<Version>> restore(Table& table, Version version) {
  auto current = co_await table.refresh();
  if (!current) co_return current.error();
  if (auto writable = (*current)->check_writable(); !writable) co_return writable.error();
  auto old = co_await table.at_version(version);
  if (!old) co_return old.error();
  if ((*current)->property("delta.appendOnly", "false") == "true") {
    co_return Error(Code::invalid, "the table is append-only (delta.appendOnly)");
  }
  const Services& services = table.services();
  CommitPlan plan;
  plan.info = new_commit_info(services.clock, "RESTORE");
  plan.info.parameters = {{"version", fmt::format("{}", version)}};
  plan.info.is_blind_append = false;
  plan.reads_all = true;
  for (const FilePtr& file : (*old)->files()) {
    if ((*current)->has_file(file->path)) continue;
    auto path = decode_path(file->path);
    if (!path) co_return path.error();
    auto there = co_await services.store.head(table.location().bucket, table.location().key(*path));
    if (!there) {
      co_return std::move(there.error()).with(fmt::format("version {} needs {}", version, *path));
    }
    plan.adds.push_back(*file);
    plan.adds.back().data_change = true;
  }
  for (const FilePtr& file : (*current)->files()) {
    if ((*old)->has_file(file->path)) continue;
    plan.removes.push_back(RemoveFile{.path = file->path,
                                      .deleted_ms = services.clock.wall_ms(),
                                      .data_change = true,
                                      .size = file->size,
                                      .partition_values = file->partition_values});
  }
  plan.info.metrics = {{"numRestoredFiles", fmt::format("{}", plan.adds.size())},
                       {"numRemovedFiles", fmt::format("{}", plan.removes.size())}};
  if ((*old)->metadata() != (*current)->metadata()) plan.metadata = (*old)->metadata();
  co_return co_await table.commit(std::move(plan), *current);
}

}  // namespace pinpipe::lake
