// How a table's next version comes about; the contract is in table.h.
#include <fmt/format.h>

#include "base/log_line.h"
#include "lake/table.h"

namespace pinpipe::lake {
namespace {

constexpr int unknown_outcome_retries_max = 5;

Status check_txns(const std::vector<TxnUpdate>& txns, const Snapshot& base) {
  for (size_t i = 0; i < txns.size(); ++i) {
    const TxnUpdate& txn = txns[i];
    int64_t stored = base.txn_version(txn.app_id).value_or(-1);
    if (txn.expected && *txn.expected != stored) {
      return Error(Code::conflict,
                   fmt::format("application \"{}\" is at version {}, not {}: ConcurrentTransaction",
                               txn.app_id, stored, *txn.expected));
    }
    if (txn.version <= stored) {
      return Error(Code::conflict,
                   fmt::format("application \"{}\" is at version {} already, {} does not rise: "
                               "ConcurrentTransaction",
                               txn.app_id, stored, txn.version));
    }
    for (size_t j = 0; j < i; ++j) {
      if (txns[j].app_id != txn.app_id) continue;
      return Error(Code::invalid,
                   fmt::format("application \"{}\" is in one commit twice", txn.app_id));
    }
  }
  return {};
}

// What must never be null is not, by what the files' statistics say.
Status check_not_null(const Schema& table, const Encoded& data) {
  for (const Field& field : table.fields) {
    if (field.nullable) continue;
    for (const DataFile& file : data.files) {
      auto nulls = file.stats.null_counts.find(field.name);
      if (nulls != file.stats.null_counts.end() && nulls->second == 0) continue;
      return Error(Code::invalid, fmt::format("column \"{}\" may not be null, and {}", field.name,
                                              nulls == file.stats.null_counts.end()
                                                  ? std::string("its nulls were not counted")
                                                  : fmt::format("{} rows are", nulls->second)));
    }
  }
  return {};
}

// The table's new schema, when the data changes it and that was asked for.
Result<std::optional<Schema>> changed_schema(const Snapshot& base, const Encoded& data,
                                             WriteMode mode, SchemaChange change) {
  if (change == SchemaChange::replace && mode == WriteMode::overwrite) {
    if (to_schema_string(base.schema()) == to_schema_string(data.schema)) return std::nullopt;
    return data.schema;
  }
  if (change != SchemaChange::add_columns) return std::nullopt;
  Schema widened = base.schema();
  for (const Field& field : data.schema.fields) {
    if (widened.find(field.name) != nullptr) continue;
    widened.fields.push_back(field);
    widened.fields.back().nullable = true;
  }
  if (widened.fields.size() == base.schema().fields.size()) return std::nullopt;
  auto named = check_names(widened);
  if (!named) return named.error();
  return widened;
}

Status check_data(const Schema& schema, const Encoded& data) {
  auto fits = check_fits(schema, data.schema);
  if (!fits && !data.files.empty()) return fits;
  return check_not_null(schema, data);
}

RemoveFile removal_of(const AddFile& file, int64_t now_ms, bool data_change) {
  return RemoveFile{.path = file.path,
                    .deleted_ms = now_ms,
                    .data_change = data_change,
                    .size = file.size,
                    .partition_values = file.partition_values,
                    .deletion_vector = file.deletion_vector,
                    .deletion_vector_id = file.deletion_vector_id};
}

void remove_all_files(CommitPlan& plan, const Snapshot& base, int64_t now_ms) {
  int64_t bytes = 0;
  for (const FilePtr& file : base.files()) {
    bytes += file->size;
    plan.removes.push_back(removal_of(*file, now_ms, true));
  }
  plan.info.metrics["numRemovedFiles"] = fmt::format("{}", plan.removes.size());
  plan.info.metrics["numRemovedBytes"] = fmt::format("{}", bytes);
}

void describe_write(CommitPlan& plan, WriteMode mode, const Encoded& data, CommitFacts& facts) {
  CommitInfo& info = plan.info;
  bool is_stream = facts.operation.empty() && !facts.txns.empty() && mode == WriteMode::append;
  if (!facts.operation.empty()) {
    info.operation = facts.operation;
  } else {
    info.operation = is_stream ? "STREAMING UPDATE" : "WRITE";
  }
  if (is_stream) {
    info.parameters["outputMode"] = "Append";
    info.parameters["queryId"] = facts.txns[0].app_id;
    info.parameters["epochId"] = fmt::format("{}", facts.txns[0].version);
  } else {
    info.parameters["mode"] = mode == WriteMode::append ? "Append" : "Overwrite";
    info.parameters["partitionBy"] = "[]";
  }
  info.parameters.insert(facts.parameters.begin(), facts.parameters.end());
  int64_t bytes = 0;
  for (const DataFile& file : data.files) bytes += file.bytes;
  info.metrics["numFiles"] = fmt::format("{}", data.files.size());
  info.metrics["numOutputRows"] = fmt::format("{}", data.rows());
  info.metrics["numOutputBytes"] = fmt::format("{}", bytes);
  info.metrics.insert(facts.metrics.begin(), facts.metrics.end());
  info.is_blind_append = mode == WriteMode::append;
  info.positions = std::move(facts.positions);
  info.project_sql_sha256 = std::move(facts.project_sql_sha256);
  info.user_metadata = std::move(facts.user_metadata);
}

Result<CommitPlan> plan_write(const Services& services, const Snapshot& base, WriteMode mode,
                              const Encoded& data, CommitFacts& facts) {
  if (auto writable = base.check_writable(); !writable) return writable.error();
  if (auto txns = check_txns(facts.txns, base); !txns) return txns.error();
  auto schema = changed_schema(base, data, mode, facts.schema_change);
  if (!schema) return schema.error();
  auto fits = check_data(*schema ? **schema : base.schema(), data);
  if (!fits) return fits.error();
  CommitPlan plan;
  plan.info = new_commit_info(services.clock, "");
  describe_write(plan, mode, data, facts);
  if (*schema) {
    plan.metadata = base.metadata();
    plan.metadata->schema_string = to_schema_string(**schema);
  }
  for (const TxnUpdate& txn : facts.txns) {
    plan.txns.push_back(
        Txn{.app_id = txn.app_id, .version = txn.version, .updated_ms = services.clock.wall_ms()});
  }
  if (mode == WriteMode::overwrite) {
    if (base.property("delta.appendOnly", "false") == "true") {
      return Error(Code::invalid, "the table is append-only (delta.appendOnly)");
    }
    plan.reads_all = true;
    remove_all_files(plan, base, services.clock.wall_ms());
  }
  return plan;
}

// The outcome of a put is not known when the reply was lost on the way.
bool is_unknown(Code code) {
  return code == Code::timeout || code == Code::unavailable || code == Code::internal;
}

bool is_ours(const CommitPlan& plan, const Actions& commit) {
  auto info = decode_commit_info(commit.commit_info);
  return info && info->txn_id == plan.info.txn_id;
}

}  // namespace

io::Task<Result<std::vector<AddFile>>> Table::adopt_files(std::vector<DataFile> files) {
  std::vector<AddFile> adds;
  int number = 0;
  for (DataFile& file : files) {
    std::string name = new_data_file_name(number++);
    objects::Condition condition;
    condition.if_absent = true;
    auto facts =
        co_await services_.store.adopt(location_.bucket, file.temporary_path, location_.key(name),
                                       objects::Attributes(), std::move(condition));
    if (!facts) {
      co_await drop_files(std::move(adds));
      co_return std::move(facts.error()).with(name);
    }
    AddFile add;
    add.path = encode_path(name);
    add.size = static_cast<int64_t>(facts->size);
    // A remote store does not tell what time it put on the file.
    add.modified_ms = facts->modified_ms > 0 ? facts->modified_ms : services_.clock.wall_ms();
    add.stats = std::move(file.stats.json);
    adds.push_back(std::move(add));
  }
  co_return adds;
}

// Best effort: what stays is an orphan, which vacuum finds.
io::Task<> Table::drop_files(std::vector<AddFile> adds) {
  for (const AddFile& add : adds) {
    auto removed = co_await services_.store.remove(location_.bucket, location_.key(add.path));
    if (!removed) {
      log_warn("lake", "a data file of a failed commit stays until vacuum",
               {{"file", location_.key(add.path)}, {"reason", removed.error().text()}});
    }
  }
}

io::Task<Result<Version>> Table::write_files(WriteMode mode, Encoded data, CommitFacts facts) {
  // An append needs not know what came meanwhile; an overwrite replaces what is there now.
  auto base = mode == WriteMode::append ? co_await fresh_snapshot() : co_await refresh();
  if (!base) co_return base.error();
  auto plan = plan_write(services_, **base, mode, data, facts);
  if (!plan) co_return plan.error();
  auto adds = co_await adopt_files(std::move(data.files));
  if (!adds) co_return adds.error();
  plan->adds = std::move(*adds);
  std::vector<AddFile> written = plan->adds;
  auto version = co_await commit(std::move(*plan), std::move(*base));
  // Only a lost race is certain not to have used the files.
  bool is_certain = !version && (version.error().code() == Code::conflict ||
                                 version.error().code() == Code::busy);
  if (is_certain) co_await drop_files(std::move(written));
  co_return version;
}

io::Task<Result<Version>> Table::replace_files(CommitInfo info, std::vector<DataFile> data,
                                               std::vector<FilePtr> replaced,
                                               std::shared_ptr<const Snapshot> base) {
  CommitPlan plan;
  plan.info = std::move(info);
  for (const FilePtr& file : replaced) {
    plan.removes.push_back(removal_of(*file, services_.clock.wall_ms(), false));
  }
  auto adds = co_await adopt_files(std::move(data));
  if (!adds) co_return adds.error();
  for (AddFile& add : *adds) add.data_change = false;
  plan.adds = *adds;
  auto version = co_await commit(std::move(plan), std::move(base));
  if (!version && version.error().code() == Code::conflict) co_await drop_files(std::move(*adds));
  if (version) co_await keep_log();
  co_return version;
}

io::Task<Result<Version>> Table::commit(CommitPlan plan, std::shared_ptr<const Snapshot> base) {
  for (int attempt = 0; attempt < commit_attempts_max; ++attempt) {
    plan.info.read_version =
        base->version() < 0 ? std::nullopt : std::optional<Version>(base->version());
    auto tried = co_await try_commit(plan, std::move(base));
    if (!tried) co_return tried.error();
    base = std::move(tried->base);
    publish(base);
    if (tried->is_done) co_return base->version();
  }
  co_return Error(Code::busy, fmt::format("lost {} races for the next version; try again",
                                          commit_attempts_max));
}

io::Task<Result<Table::Attempt>> Table::try_commit(const CommitPlan& plan,
                                                   std::shared_ptr<const Snapshot> base) {
  Version version = base->version() + 1;
  std::string bytes = encode(plan);
  objects::Condition if_absent;
  if_absent.if_absent = true;
  for (int retry = 0;; ++retry) {
    auto put = co_await services_.store.put(location_.bucket, location_.commit_key(version), bytes,
                                            objects::Attributes(), if_absent);
    if (put) break;
    if (put.error().code() == Code::conflict) co_return co_await follow_winners(plan, base);
    if (!is_unknown(put.error().code())) co_return std::move(put.error());
    // The version itself tells: ours, somebody else's, or still free, and then the same bytes may
    // be put again.
    auto there = co_await reader_.read_commit(version);
    if (!there || (!*there && retry == unknown_outcome_retries_max)) {
      co_return Error(put.error().code(), fmt::format("version {}: the outcome is unknown: {}",
                                                      version, put.error().text()));
    }
    if (*there) co_return co_await follow_winners(plan, base);
  }
  auto next = std::make_shared<Snapshot>(*base);
  codec::JsonScanner scanner;
  auto actions = decode_commit(scanner, bytes);
  if (!actions) co_return std::move(actions.error()).with("our own commit");
  auto applied = next->apply_commit(version, std::move(*actions), bytes.size());
  if (!applied) co_return applied.error().with("our own commit");
  co_return Attempt{.base = std::move(next), .is_done = true};
}

io::Task<Result<Table::Attempt>> Table::follow_winners(const CommitPlan& plan,
                                                       std::shared_ptr<const Snapshot> base) {
  auto next = std::make_shared<Snapshot>(*base);
  while (true) {
    Version version = next->version() + 1;
    auto commit = co_await reader_.read_commit(version);
    if (!commit) co_return commit.error();
    if (!*commit) break;
    bool ours = is_ours(plan, (*commit)->actions);
    if (!ours) {
      auto allowed = check_conflict(plan, (*commit)->actions, version);
      if (!allowed) co_return allowed.error();
    }
    auto applied =
        next->apply_commit(version, std::move((*commit)->actions), (*commit)->bytes.size());
    if (!applied) co_return applied.error().with(location_.commit_key(version));
    if (ours) co_return Attempt{.base = std::move(next), .is_done = true};
  }
  if (base->version() >= 0) {
    auto writable = next->check_writable();
    if (!writable) co_return writable.error();
  }
  co_return Attempt{.base = std::move(next), .is_done = false};
}

}  // namespace pinpipe::lake
