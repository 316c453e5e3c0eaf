#include "lake/table.h"

#include <charconv>
#include <fmt/format.h>

#include "base/id.h"
#include "base/log_line.h"
#include "io/files.h"
#include "lake/checkpoint.h"
#include "lake/history.h"
#include "lake/vacuum.h"

namespace pinpipe::lake {
Table::Table(const Services& services, Location location, std::shared_ptr<const Snapshot> snapshot)
    : services_(services),
      location_(location),
      reader_(services, std::move(location)),
      snapshot_(std::move(snapshot)),
      refreshed_ns_(services.clock.steady_ns()) {}

io::Task<Result<std::unique_ptr<Table>>> Table::create(const Services& services, Location location,
                                                       Schema schema, TableOptions options) {
  auto named = check_names(schema, options.blanks_in_names);
  if (!named) co_return named.error();
  CommitPlan plan;
  plan.info = new_commit_info(services.clock, "CREATE TABLE");
  plan.info.is_blind_append = true;
  plan.info.parameters = {{"isManaged", "false"}, {"partitionBy", "[]"}, {"properties", "{}"}};
  plan.protocol = Protocol{};
  Metadata metadata;
  metadata.id = Uuid::random().text();
  if (!options.name.empty()) metadata.name = options.name;
  if (!options.description.empty()) metadata.description = options.description;
  metadata.schema_string = to_schema_string(schema);
  metadata.configuration = std::move(options.properties);
  metadata.created_ms = services.clock.wall_ms();
  plan.metadata = std::move(metadata);

  std::unique_ptr<Table> table(
      new Table(services, std::move(location), std::make_shared<const Snapshot>()));
  auto committed = co_await table->commit(std::move(plan), table->snapshot());
  if (!committed) co_return std::move(committed.error()).with(table->location_.text());
  co_return table;
}

io::Task<Result<std::unique_ptr<Table>>> Table::open(const Services& services, Location location) {
  LogReader reader(services, location);
  auto snapshot = co_await reader.load();
  if (!snapshot) co_return snapshot.error();
  co_return std::unique_ptr<Table>(new Table(services, std::move(location), std::move(*snapshot)));
}

io::Task<Result<std::unique_ptr<Table>>> Table::open_or_create(const Services& services,
                                                               Location location, Schema schema,
                                                               TableOptions options) {
  auto opened = co_await open(services, location);
  if (opened || opened.error().code() != Code::not_found) co_return opened;
  auto created = co_await create(services, location, std::move(schema), std::move(options));
  if (created || created.error().code() != Code::conflict) co_return created;
  co_return co_await open(services, std::move(location));
}

std::shared_ptr<const Snapshot> Table::snapshot() const {
  std::lock_guard lock(mutex_);
  return snapshot_;
}

void Table::publish(std::shared_ptr<const Snapshot> snapshot) {
  std::lock_guard lock(mutex_);
  refreshed_ns_ = services_.clock.steady_ns();
  if (snapshot->version() > snapshot_->version()) snapshot_.swap(snapshot);
}

io::Task<Result<std::shared_ptr<const Snapshot>>> Table::fresh_snapshot() {
  std::shared_ptr<const Snapshot> known;
  int64_t age_ms = 0;
  {
    std::lock_guard lock(mutex_);
    known = snapshot_;
    age_ms = (services_.clock.steady_ns() - refreshed_ns_) / 1'000'000;
  }
  // Log clean-up may have removed the commits behind a snapshot that nobody has refreshed for long;
  // the version after it would then look free.
  if (age_ms < snapshot_age_max_ms) co_return known;
  auto loaded = co_await reader_.load();
  if (loaded) publish(*loaded);
  co_return loaded;
}

io::Task<Result<std::shared_ptr<const Snapshot>>> Table::refresh() {
  auto known = co_await fresh_snapshot();
  if (!known) co_return known;
  auto newest = co_await reader_.advance(std::move(*known));
  if (!newest) co_return newest;
  publish(*newest);
  co_return snapshot();
}

io::Task<Result<std::shared_ptr<const Snapshot>>> Table::at_version(Version version) {
  auto newest = snapshot();
  if (newest->version() == version) co_return newest;
  co_return co_await reader_.load(version);
}

io::Task<Result<std::shared_ptr<const Snapshot>>> Table::at_time(int64_t wall_ms) {
  auto version = co_await version_at_time(*this, wall_ms);
  if (!version) co_return version.error();
  co_return co_await at_version(*version);
}

bool Table::is_checkpoint_due() const {
  auto newest = snapshot();
  int64_t interval = 10;
  auto wanted = newest->property("delta.checkpointInterval", "10");
  (void)std::from_chars(wanted.data(), wanted.data() + wanted.size(), interval);
  int64_t commits = newest->commits_since_checkpoint();
  if (newest->checkpoint_version() < 0) --commits;  // version 0 counts from itself
  if (commits < interval) return false;
  // A checkpoint rewrites every live file's row, so a large table waits until the log behind it has
  // grown as large; a hundred commits are the most that opening should read.
  return commits >= 100 || newest->bytes_since_checkpoint() >= newest->checkpoint_bytes();
}

io::Task<Result<Version>> Table::checkpoint() {
  auto newest = snapshot();
  if (auto writable = newest->check_writable(); !writable) {
    co_return writable.error().with(location_.text());
  }
  {
    std::lock_guard lock(mutex_);
    if (is_checkpointing_) co_return newest->checkpoint_version();
    is_checkpointing_ = true;
  }
  auto written = co_await publish_checkpoint(services_, location_, newest);
  if (written) note_checkpoint(*written);
  std::lock_guard lock(mutex_);
  is_checkpointing_ = false;
  if (!written) co_return std::move(written.error()).with(location_.text());
  co_return written->version;
}

// The copy is made without the lock; if a commit came in between, it is made again.
void Table::note_checkpoint(const LastCheckpoint& written) {
  std::shared_ptr<const Snapshot> known = snapshot();
  int64_t until_ms = oldest_tombstone_ms(*known, services_.clock.wall_ms());
  while (true) {
    auto noted = std::make_shared<Snapshot>(*known);
    noted->set_checkpoint(written.version, written.bytes);
    noted->forget_tombstones(until_ms);
    std::lock_guard lock(mutex_);
    if (snapshot_ == known) {
      snapshot_ = std::move(noted);
      return;
    }
    known = snapshot_;
  }
}

io::Task<> Table::keep_log() {
  if (!is_checkpoint_due()) co_return;
  auto written = co_await checkpoint();
  // The commit stands without it, and the next commit tries again.
  if (!written) {
    log_warn("lake", "a checkpoint could not be written",
             {{"table", location_.text()}, {"reason", written.error().text()}});
    co_return;
  }
  {
    std::lock_guard lock(mutex_);
    int64_t now_ns = services_.clock.steady_ns();
    bool is_due =
        !log_cleaned_ns_ || now_ns - *log_cleaned_ns_ > log_cleaning_interval_ms * 1'000'000;
    if (!is_due) co_return;
    log_cleaned_ns_ = now_ns;
  }
  auto cleaned = co_await clean_log(*this);
  if (!cleaned) {
    log_warn("lake", "old commits could not be removed",
             {{"table", location_.text()}, {"reason", cleaned.error().text()}});
  }
}

io::Task<Result<Version>> Table::write(WriteMode mode, Encoded data, CommitFacts facts) {
  std::vector<std::string> temporaries;
  for (const DataFile& file : data.files) temporaries.push_back(file.temporary_path);
  bool keeps_log = facts.keeps_log;
  auto version = co_await write_files(mode, std::move(data), std::move(facts));
  if (!version) {
    auto remove_all = [&] {
      for (const std::string& path : temporaries) (void)io::posix_files().remove(path);
      return temporaries.size();
    };
    (void)co_await services_.work.run(remove_all);
    co_return std::move(version.error()).with(location_.text());
  }
  if (keeps_log) co_await keep_log();
  co_return version;
}

}  // namespace pinpipe::lake
