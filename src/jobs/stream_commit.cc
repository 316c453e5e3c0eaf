// How StreamFollower makes a batch part of its tables. Quarantine first: a job that ends in between
// finds there which records the unfinished batch had.
#include <fmt/format.h>

#include "base/hash.h"
#include "base/log_line.h"
#include "base/metrics.h"
#include "io/files.h"
#include "jobs/stream_follower.h"

namespace pinpipe::jobs {

io::Task<Status> StreamFollower::process(StreamBatch batch) {
  Status open = co_await open_session();
  if (!open) co_return open;
  StreamCleaner::Places places{.rows = lake_.store.new_temporary(),
                               .quarantine = lake_.store.new_temporary()};
  auto known = table_->snapshot();
  auto clean = [&] { return cleaner_.clean(batch, known->schema(), places, stop_.get_token()); };
  auto cleaned = co_await lake_.work.run(clean);
  last_used_ = io::after(Millis{0});
  if (!cleaned) co_return cleaned.error().with("data set " + dataset_.name);
  skipped_ += batch.records - cleaned->records;
  if (cleaned->records > 0 || skipped_ >= static_cast<size_t>(settings().batch_rows)) {
    Status committed = co_await commit(batch, std::move(*cleaned));
    if (!committed) co_return committed;
    skipped_ = 0;
  }
  // Without records of ours there is nothing to commit: reading them again would pass them again.
  for (const auto& [id, end] : batch.ends) shards_.at(id).committed = end;
  progress_.notify_all();
  co_return Status{};
}

lake::CommitFacts StreamFollower::facts_of(const StreamBatch& batch, const CleanedBatch& cleaned,
                                           int64_t Shard::* stored) const {
  lake::CommitFacts facts;
  for (const auto& [id, end] : batch.ends) {
    const Shard& shard = shards_.at(id);
    if (end - 1 <= shard.*stored) continue;
    facts.txns.push_back({.app_id = shard.app_id, .version = end - 1, .expected = shard.*stored});
    facts.positions.push_back({.source = fmt::format("{}/{}/{}", stream_, incarnation_.text(), id),
                               .from = std::to_string(shard.committed),
                               .to = std::to_string(end - 1)});
  }
  facts.metrics = {{"numSourceRecords", std::to_string(cleaned.records)},
                   {"numSourceRows", std::to_string(cleaned.raw_rows)},
                   {"numSourceValues", std::to_string(cleaned.values)},
                   {"numFilteredRows", std::to_string(cleaned.filtered)},
                   {"numQuarantinedRows", std::to_string(cleaned.quarantined)}};
  facts.keeps_log = false;
  facts.project_sql_sha256 = to_hex(sha256(dataset_.clean.text));
  return facts;
}

io::Task<Status> StreamFollower::commit(const StreamBatch& batch, CleanedBatch cleaned) {
  if (!cleaned.quarantine.files.empty()) {
    Status set_aside = co_await commit_quarantine(batch, cleaned);
    if (!set_aside) {
      co_await discard(std::move(cleaned.rows));
      co_return set_aside;
    }
  }
  lake::CommitFacts facts = facts_of(batch, cleaned, &Shard::stored);
  // A project whose SQL has gained a column goes on in the same table.
  facts.schema_change = lake::SchemaChange::add_columns;
  auto clean_rows = static_cast<uint64_t>(cleaned.rows.rows());
  auto version =
      co_await table_->write(lake::WriteMode::append, std::move(cleaned.rows), std::move(facts));
  if (!version) co_return version.error();
  for (const auto& [id, end] : batch.ends) {
    Shard& shard = shards_.at(id);
    shard.stored = std::max(shard.stored, end - 1);
  }
  note_table();
  status_.clean += clean_rows;
  count(batch, cleaned);
  co_return Status{};
}

io::Task<Status> StreamFollower::commit_quarantine(const StreamBatch& batch,
                                                   CleanedBatch& cleaned) {
  if (!quarantine_) {
    lake::TableOptions about{.name = dataset_.tables.stream + "_quarantine",
                             .description = "what the stream job could not use of " + stream_,
                             .properties = table_properties()};
    lake::Location place{options_.lake_bucket, about.name};
    lake::Schema schema = StreamCleaner::quarantine_schema();
    auto made = co_await lake::Table::open_or_create(lake_, std::move(place), std::move(schema),
                                                     std::move(about));
    if (!made) {
      co_await discard(std::move(cleaned.quarantine));
      co_return made.error();
    }
    quarantine_ = std::move(*made);
  }
  lake::CommitFacts facts = facts_of(batch, cleaned, &Shard::stored_quarantine);
  auto version = co_await quarantine_->write(lake::WriteMode::append, std::move(cleaned.quarantine),
                                             std::move(facts));
  if (!version) co_return version.error();
  for (const auto& [id, end] : batch.ends) {
    Shard& shard = shards_.at(id);
    shard.stored_quarantine = std::max(shard.stored_quarantine, end - 1);
  }
  co_return Status{};
}

io::Task<> StreamFollower::discard(lake::Encoded data) {
  auto remove = [&] {
    for (const lake::DataFile& file : data.files)
      (void)io::posix_files().remove(file.temporary_path);
    return data.files.size();
  };
  (void)co_await lake_.work.run(remove);
}

void StreamFollower::count(const StreamBatch& batch, const CleanedBatch& cleaned) {
  ++status_.batches;
  status_.records += cleaned.records;
  status_.rows += cleaned.raw_rows;
  if (!batch.is_replay) status_.quarantined += cleaned.quarantined;
  status_.last_commit_ms = options_.clock->wall_ms();
  status_.freshness_ms = cleaned.oldest_ms == 0 ? 0 : status_.last_commit_ms - cleaned.oldest_ms;
  int64_t now_ms = options_.clock->steady_ms();
  recent_.push_back({now_ms, cleaned.records});
  while (recent_.front().at_ms < now_ms - rate_window_ms) recent_.pop_front();
  Labels labels{{"dataset", dataset_.name}};
  metrics()
      .counter("pinpipe_stream_job_records_total", "Records that the stream job committed", labels)
      .add(cleaned.records);
  metrics()
      .counter("pinpipe_stream_job_quarantined_total", "Records and rows that were set aside",
               labels)
      .add(cleaned.quarantined);
  metrics()
      .histogram("pinpipe_stream_job_freshness_seconds",
                 "Age of a commit's oldest record when its row could be read", labels)
      .observe_us(status_.freshness_ms * 1000);
}

}  // namespace pinpipe::jobs
