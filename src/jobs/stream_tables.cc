// StreamFollower's tables, and where in the stream they are.
#include <algorithm>
#include <fmt/format.h>

#include "base/log_line.h"
#include "jobs/stream_follower.h"

namespace pinpipe::jobs {
namespace {

constexpr size_t fetch_bytes_max = 1 << 20;
constexpr Millis replay_wait{10'000};
constexpr int64_t log_kept_ms = 86'400'000;

}  // namespace

// Former versions of a table that gets a commit a second, or ten, are kept for hours, not for the
// month that Delta would: each compacted file lies there until then. Commits tell what became of
// which records, and are kept for a day at least.
std::map<std::string, std::string> StreamFollower::table_properties() const {
  auto interval = [](int64_t ms) { return fmt::format("interval {} milliseconds", ms); };
  return {{"delta.logRetentionDuration", interval(std::max(settings().history_ms, log_kept_ms))},
          {"delta.deletedFileRetentionDuration", interval(settings().history_ms)}};
}

io::Task<Status> StreamFollower::open_tables() {
  table_.reset();
  quarantine_.reset();
  lake::Location place{options_.lake_bucket, dataset_.tables.stream};
  Status opened = co_await open_table_of(place);
  if (!opened) co_return opened;
  positions_ = StreamPositions::of(*table_->snapshot(), dataset_.name);
  place.prefix += "_quarantine";
  auto quarantine = co_await lake::Table::open(lake_, std::move(place));
  if (!quarantine && quarantine.error().code() != Code::not_found) co_return quarantine.error();
  if (!quarantine) co_return Status{};
  quarantine_ = std::move(*quarantine);
  co_return co_await empty_quarantine();
}

io::Task<Status> StreamFollower::open_table_of(const lake::Location& place) {
  auto table = co_await lake::Table::open(lake_, place);
  if (!table && table.error().code() == Code::not_found) {
    // Made before the first record, so that questions about a quiet stream have a table to read.
    Status bucket = co_await lake_.store.create_bucket(options_.lake_bucket);
    if (!bucket && bucket.error().code() != Code::conflict) co_return bucket;
    Status open = co_await open_session();
    if (!open) co_return open;
    auto describe = [this] { return cleaner_.schema(); };
    auto schema = co_await lake_.work.run(describe);
    if (!schema) co_return schema.error();
    lake::TableOptions about{
        .name = dataset_.tables.stream,
        .description = "clean " + dataset_.name + ", written by the stream job from " + stream_,
        .properties = table_properties()};
    table =
        co_await lake::Table::open_or_create(lake_, place, std::move(*schema), std::move(about));
  }
  if (!table) co_return table.error();
  table_ = std::move(*table);
  co_return Status{};
}

// A reset empties the table first; one that was cut short there ends here.
io::Task<Status> StreamFollower::empty_quarantine() {
  auto there = StreamPositions::of(*quarantine_->snapshot(), dataset_.name);
  if (there.resets() >= positions_.resets()) co_return Status{};
  lake::TxnUpdate reset = StreamPositions(dataset_.name, positions_.resets() - 1).reset_once_more();
  reset.expected = there.resets() == 0 ? -1 : there.resets();
  lake::CommitFacts facts;
  facts.txns.push_back(std::move(reset));
  lake::Encoded nothing{.schema = quarantine_->snapshot()->schema(), .files = {}};
  auto emptied =
      co_await quarantine_->write(lake::WriteMode::overwrite, std::move(nothing), std::move(facts));
  co_return emptied ? Status{} : Status(emptied.error());
}

io::Task<Status> StreamFollower::load_positions(const broker::TopicFacts& facts) {
  shards_.clear();
  for (broker::PartitionId id = 0; id < facts.partitions; ++id)
    shards_[id].app_id = positions_.app_id(facts.id, id);
  Status begun = co_await begin_reading();
  if (!begun) co_return begun;
  auto snapshot = table_->snapshot();
  note_table();
  for (auto at = shards_.begin(); at != shards_.end();) {
    auto& [id, shard] = *at;
    shard.stored = positions_.stored(*snapshot, facts.id, id);
    if (quarantine_)
      shard.stored_quarantine = positions_.stored(*quarantine_->snapshot(), facts.id, id);
    auto range = co_await options_.topics->range(stream_, id);
    if (!range && range.error().code() == Code::not_found) {
      at = shards_.erase(at);  // a shard that has been resharded away and has expired
      continue;
    }
    if (!range) co_return range.error();
    Status whole = check_lost(id, shard, *range);
    if (!whole) co_return whole;
    shard.high_watermark = range->high_watermark;
    ++at;
  }
  co_return Status{};
}

void StreamFollower::note_table() {
  auto snapshot = table_->snapshot();
  status_.table_version = snapshot->version();
  status_.table_rows = snapshot->rows().value_or(0);
  status_.table_files = static_cast<int64_t>(snapshot->files().size());
}

// A table that has read nothing begins where the settings say, and remembers that it has begun: a
// job that ends before its first batch must not begin at a later `latest`.
io::Task<Status> StreamFollower::begin_reading() {
  bool is_earliest =
      settings().start == project::StreamJobSettings::Start::earliest || waited_for_stream_;
  if (is_earliest || positions_.has_begun(*table_->snapshot())) co_return Status{};
  std::vector<lake::TxnUpdate> txns{positions_.begun_at(options_.clock->wall_ms())};
  co_return co_await commit_start({settings().start, settings().start_ms}, positions_,
                                  lake::WriteMode::append, std::move(txns));
}

// Commits `txns` and each shard's first position, without rows.
io::Task<Status> StreamFollower::commit_start(project::StreamStart start,
                                              const StreamPositions& positions,
                                              lake::WriteMode mode,
                                              std::vector<lake::TxnUpdate> txns) {
  auto topic = options_.topics->find(stream_);
  if (!topic && topic.error().code() != Code::not_found) co_return topic.error();
  bool is_earliest = start.start == project::StreamJobSettings::Start::earliest;
  broker::Offset skipped = 0;
  for (broker::PartitionId id = 0; topic && !is_earliest && id < topic->partitions; ++id) {
    auto first = co_await offset_of(start, id);
    if (!first && first.error().code() == Code::not_found) continue;
    if (!first) co_return first.error();
    if (*first == 0) continue;
    skipped += *first;
    txns.push_back(
        {.app_id = positions.app_id(topic->id, id), .version = *first - 1, .expected = -1});
  }
  lake::CommitFacts facts;
  facts.txns = std::move(txns);
  facts.metrics = {{"numSkippedRecords", std::to_string(skipped)}};
  facts.parameters = {{"begins", mode == lake::WriteMode::overwrite ? "again" : "first"}};
  lake::Encoded nothing{.schema = table_->snapshot()->schema(), .files = {}};
  auto committed = co_await table_->write(mode, std::move(nothing), std::move(facts));
  co_return committed ? Status{} : Status(committed.error());
}

io::Task<Result<broker::Offset>> StreamFollower::offset_of(project::StreamStart start,
                                                           broker::PartitionId id) {
  if (start.start == project::StreamJobSettings::Start::timestamp) {
    auto found = co_await options_.topics->offset_at(stream_, id, start.start_ms);
    if (!found) co_return found.error();
    if (*found) co_return **found;
  }
  auto range = co_await options_.topics->range(stream_, id);
  if (!range) co_return range.error();
  co_return range->high_watermark;
}

io::Task<Status> StreamFollower::reset_tables(project::StreamStart start) {
  Status opened = co_await open_tables();
  if (!opened) co_return opened.error().with("data set " + dataset_.name);
  StreamPositions next = positions_.after_reset();
  std::vector<lake::TxnUpdate> txns{positions_.reset_once_more(),
                                    next.begun_at(options_.clock->wall_ms())};
  Status emptied = co_await commit_start(start, next, lake::WriteMode::overwrite, std::move(txns));
  if (!emptied) co_return emptied.error().with("data set " + dataset_.name);
  positions_ = next;
  shards_.clear();
  note_table();
  log_info("jobs", "a stream table begins again", {{"dataset", dataset_.name}});
  if (!quarantine_) co_return Status{};
  co_return co_await empty_quarantine();
}

Status StreamFollower::check_lost(broker::PartitionId id, Shard& shard,
                                  const broker::OffsetRange& range) {
  shard.committed = shard.begin = shard.stored < 0 ? range.start : shard.stored + 1;
  if (shard.begin >= range.start) return {};
  std::string what = fmt::format(
      "records {}..{} of {} shard {} were removed before they were read; a longer retention would "
      "have kept them, and `stream_job: {{ lost_records: skip }}` goes on without them",
      shard.begin, range.start - 1, stream_, id);
  if (!settings().skip_lost) return Error(Code::invalid, std::move(what));
  log_warn("jobs", "records are lost to the stream table",
           {{"dataset", dataset_.name}, {"reason", what}});
  status_.lost += static_cast<uint64_t>(range.start - shard.begin);
  shard.committed = shard.begin = range.start;
  return {};
}

// A job that ended between its two commits: quarantine is a batch ahead. That batch is made again,
// with exactly its records, and this time only the table gets it.
io::Task<Status> StreamFollower::replay_quarantined() {
  auto batch = co_await fetch_up_to_quarantine();
  if (!batch) co_return batch.error();
  if (batch->ends.empty()) co_return Status{};
  co_return co_await process(std::move(*batch));
}

io::Task<Result<StreamBatch>> StreamFollower::fetch_up_to_quarantine() {
  StreamBatch batch;
  batch.is_replay = true;
  io::Instant deadline = io::after(replay_wait);
  for (auto& [id, shard] : shards_) {
    broker::Offset next = shard.committed;
    broker::Offset end = shard.stored_quarantine + 1;
    while (next < end) {
      auto fetched = co_await options_.topics->fetch(stream_, id, next, fetch_bytes_max, deadline);
      if (!fetched) co_return fetched.error();
      if (fetched->next == next)
        co_return Error(Code::unavailable,
                        fmt::format("offset {} of {} shard {} is in quarantine but cannot be read",
                                    next, stream_, id));
      fetched->next = next = std::min(fetched->next, end);
      std::erase_if(fetched->records, [&](const auto& record) { return record.offset >= end; });
      batch.add(id, std::move(*fetched));
    }
  }
  co_return batch;
}

}  // namespace pinpipe::jobs
