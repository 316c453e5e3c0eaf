#include "lake/snapshot.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "base/check.h"
#include "codec/json.h"
#include "lake/deletion_vector.h"

namespace pinpipe::lake {
namespace {

constexpr std::array<std::string_view, 7> readable_features = {
    "timestampNtz", "vacuumProtocolCheck", "deletionVectors",     "columnMapping",
    "v2Checkpoint", "typeWidening",        "typeWidening-preview"};
constexpr std::array<std::string_view, 2> writable_features = {"appendOnly", "invariants"};

template <size_t count>
std::string unknown_of(const std::optional<std::vector<std::string>>& features,
                       const std::array<std::string_view, count>& known) {
  std::string names;
  if (!features) return names;
  for (const std::string& feature : *features) {
    if (std::ranges::find(known, feature) != known.end()) continue;
    if (!names.empty()) names += ", ";
    names += feature;
  }
  return names;
}

}  // namespace

std::optional<int64_t> rows_of_stats(std::string_view stats) {
  // Nearly every writer puts it first; a column of that name may come before it otherwise.
  constexpr std::string_view usual_start = "{\"numRecords\":";
  int64_t rows = 0;
  if (stats.starts_with(usual_start)) {
    stats.remove_prefix(usual_start.size());
    auto [end, error] = std::from_chars(stats.data(), stats.data() + stats.size(), rows);
    if (error == std::errc{} && rows >= 0) return rows;
    return std::nullopt;
  }
  auto json = codec::parse_json(stats);
  if (!json) return std::nullopt;
  rows = (*json)["numRecords"].as_int().value_or(-1);
  if (rows < 0) return std::nullopt;
  return rows;
}

std::optional<int64_t> Snapshot::txn_version(std::string_view app_id) const {
  auto at = txns_.find(app_id);
  if (at == txns_.end()) return std::nullopt;
  return at->second.version;
}

std::optional<int64_t> Snapshot::rows() const {
  int64_t sum = 0;
  for (const FilePtr& file : files_) {
    auto rows = rows_of_stats(file->stats);
    if (!rows) return std::nullopt;
    sum += *rows;
    if (file->deletion_vector_id.empty()) continue;
    auto deleted = parse_deletion_vector(file->deletion_vector);
    if (!deleted) return std::nullopt;
    sum -= static_cast<int64_t>(deleted->rows);
  }
  return sum;
}

std::string_view Snapshot::property(std::string_view name, std::string_view otherwise) const {
  auto at = metadata_.configuration.find(std::string(name));
  return at == metadata_.configuration.end() ? otherwise : std::string_view(at->second);
}

Status Snapshot::check_readable() const {
  if (protocol_.min_reader_version > 3) {
    return Error(Code::invalid, fmt::format("the table needs reader version {}; we read up to 3",
                                            protocol_.min_reader_version));
  }
  std::string unknown = unknown_of(protocol_.reader_features, readable_features);
  if (!unknown.empty()) {
    return Error(Code::invalid,
                 fmt::format("the table uses reader features that we do not read: {}", unknown));
  }
  return {};
}

Status Snapshot::check_writable() const {
  int version = protocol_.min_writer_version;
  if (version > 2 && version != 7) {
    return Error(Code::invalid,
                 fmt::format("the table needs writer version {}; we write versions 1 and 2, and 7 "
                             "with the features appendOnly and invariants only",
                             version));
  }
  std::string unknown = unknown_of(protocol_.writer_features, writable_features);
  if (!unknown.empty()) {
    return Error(Code::invalid,
                 fmt::format("the table uses writer features that we do not write: {}", unknown));
  }
  if (property("delta.columnMapping.mode", "none") != "none") {
    return Error(Code::invalid, "the table maps its columns; we write tables that do not");
  }
  if (!metadata_.partition_columns.empty()) {
    return Error(Code::invalid, "the table is partitioned; we write tables without partitions");
  }
  for (const Field& field : schema_.fields) {
    if (field.metadata.find("\"delta.invariants\"") != std::string::npos) {
      return Error(
          Code::invalid,
          fmt::format("column \"{}\" has an invariant in SQL, which we do not check", field.name));
    }
  }
  return {};
}

Status Snapshot::check_plain() const {
  auto refuse = [](std::string_view what) {
    return Error(Code::invalid,
                 fmt::format("another writer gave the table {}; `pinpipe table read` "
                             "reads it, and so does SQL by the table's own name",
                             what));
  };
  if (!metadata_.partition_columns.empty()) return refuse("partition columns");
  if (property("delta.columnMapping.mode", "none") != "none") return refuse("mapped columns");
  for (const FilePtr& file : files_) {
    if (!file->deletion_vector_id.empty()) return refuse("deletion vectors");
  }
  return {};
}

Tombstones& Snapshot::own_tombstones() {
  if (tombstones_.use_count() > 1) tombstones_ = std::make_shared<Tombstones>(*tombstones_);
  return *tombstones_;
}

void Snapshot::add(AddFile add) {
  FileKey key{add.path, add.deletion_vector_id};
  if (tombstones_->contains(key)) own_tombstones().erase(key);
  add.data_change = false;  // said of the commit, not of the file; checkpoints do not keep it
  auto file = std::make_shared<const AddFile>(std::move(add));
  auto [at, is_new] = files_.insert(file);
  bytes_ += file->size;
  if (is_new) return;
  bytes_ -= (*at)->size;
  files_.erase(at);
  files_.insert(std::move(file));
}

void Snapshot::drop(const RemoveFile& remove) {
  auto at = files_.find(FileKey{remove.path, remove.deletion_vector_id});
  if (at != files_.end()) {
    bytes_ -= (*at)->size;
    files_.erase(at);
  }
  own_tombstones().put(remove);
}

Status Snapshot::apply_tables_own(Actions& actions) {
  if (actions.protocol) protocol_ = std::move(*actions.protocol);
  if (actions.metadata) {
    metadata_ = std::move(*actions.metadata);
    auto schema = parse_schema(metadata_.schema_string);
    if (!schema) return schema.error();
    schema_ = std::move(*schema);
  }
  for (Txn& txn : actions.txns) {
    std::string app_id = txn.app_id;
    txns_.insert_or_assign(std::move(app_id), std::move(txn));
  }
  return {};
}

Status Snapshot::apply_commit(Version version, Actions actions, size_t log_bytes) {
  CHECK(version == version_ + 1, "commits are applied one after the other");
  if (version_ < 0 && (!actions.protocol || !actions.metadata)) {
    return Error(Code::corrupt, "the first commit has no protocol or no metaData");
  }
  auto own = apply_tables_own(actions);
  if (!own) return own;
  // A commit may remove a file and add it again with other deletion vectors, in any order of lines.
  for (const RemoveFile& remove : actions.removes) drop(remove);
  for (AddFile& file : actions.adds) add(std::move(file));
  version_ = version;
  bytes_since_checkpoint_ += static_cast<int64_t>(log_bytes);
  return {};
}

Status Snapshot::apply_compacted(Version last, Actions actions, size_t log_bytes) {
  CHECK(last > version_, "a compaction goes on where the snapshot is");
  if (version_ < 0 && (!actions.protocol || !actions.metadata)) {
    return Error(Code::corrupt, "the first commits have no protocol or no metaData");
  }
  version_ = last - 1;
  return apply_commit(last, std::move(actions), log_bytes);
}

Status Snapshot::apply_checkpoint_rows(Actions actions) {
  auto own = apply_tables_own(actions);
  if (!own) return own;
  for (const RemoveFile& remove : actions.removes) own_tombstones().put(remove);
  for (AddFile& file : actions.adds) add(std::move(file));
  return {};
}

void Snapshot::forget_tombstones(int64_t until_ms) {
  if (tombstones_->has_any_until(until_ms)) own_tombstones().forget(until_ms);
}

void Snapshot::set_checkpoint(Version version, int64_t bytes) {
  checkpoint_version_ = version;
  checkpoint_bytes_ = bytes;
  bytes_since_checkpoint_ = 0;
}

}  // namespace pinpipe::lake
