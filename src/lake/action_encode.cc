#include <fmt/format.h>

#include "codec/json.h"
#include "lake/action.h"

namespace pinpipe::lake {
namespace {

using codec::JsonWriter;

void write_list(JsonWriter& out, std::string_view key, const std::vector<std::string>& texts) {
  out.key(key).begin_array();
  for (const std::string& text : texts) out.value(text);
  out.end_array();
}

void write_map(JsonWriter& out, std::string_view key,
               const std::map<std::string, std::string>& map) {
  out.key(key).begin_object();
  for (const auto& [name, text] : map) out.field(name, text);
  out.end_object();
}

void write_partition_values(JsonWriter& out, const PartitionValues& values) {
  out.key("partitionValues").begin_object();
  for (const auto& [name, text] : values) {
    out.key(name);
    if (text) {
      out.value(*text);
    } else {
      out.null();
    }
  }
  out.end_object();
}

void write_optional(JsonWriter& out, std::string_view key, const std::string& text) {
  if (!text.empty()) out.field(key, text);
}

void write_optional_raw(JsonWriter& out, std::string_view key, std::string_view json) {
  if (!json.empty()) out.key(key).raw(json);
}

// One line: {"<name>":{…}} and a newline.
class Line {
 public:
  Line(std::string_view name, std::string& out) : text_(out), writer_(out) {
    writer_.begin_object().key(name).begin_object();
  }
  ~Line() {
    writer_.end_object().end_object();
    text_ += '\n';
  }
  Line(const Line&) = delete;
  JsonWriter& operator*() { return writer_; }

 private:
  std::string& text_;
  JsonWriter writer_;
};

}  // namespace

void encode(const Protocol& protocol, std::string& out) {
  Line line("protocol", out);
  (*line).field("minReaderVersion", protocol.min_reader_version);
  (*line).field("minWriterVersion", protocol.min_writer_version);
  if (protocol.reader_features) write_list(*line, "readerFeatures", *protocol.reader_features);
  if (protocol.writer_features) write_list(*line, "writerFeatures", *protocol.writer_features);
}

void encode(const Metadata& metadata, std::string& out) {
  Line line("metaData", out);
  (*line).field("id", metadata.id);
  if (metadata.name) (*line).field("name", *metadata.name);
  if (metadata.description) (*line).field("description", *metadata.description);
  (*line).key("format").raw(R"({"provider":"parquet","options":{}})");
  (*line).field("schemaString", metadata.schema_string);
  write_list(*line, "partitionColumns", metadata.partition_columns);
  write_map(*line, "configuration", metadata.configuration);
  if (metadata.created_ms) (*line).field("createdTime", *metadata.created_ms);
}

void encode(const AddFile& add, std::string& out) {
  Line line("add", out);
  (*line).field("path", add.path);
  write_partition_values(*line, add.partition_values);
  (*line).field("size", add.size).field("modificationTime", add.modified_ms);
  (*line).field("dataChange", add.data_change);
  write_optional(*line, "stats", add.stats);
  write_optional_raw(*line, "tags", add.tags);
  write_optional_raw(*line, "deletionVector", add.deletion_vector);
}

void encode(const RemoveFile& remove, std::string& out) {
  Line line("remove", out);
  (*line).field("path", remove.path);
  if (remove.deleted_ms) (*line).field("deletionTimestamp", *remove.deleted_ms);
  (*line).field("dataChange", remove.data_change);
  (*line).field("extendedFileMetadata", remove.size.has_value());
  if (remove.size) {
    write_partition_values(*line, remove.partition_values);
    (*line).field("size", *remove.size);
  }
  write_optional_raw(*line, "deletionVector", remove.deletion_vector);
}

void encode(const Txn& txn, std::string& out) {
  Line line("txn", out);
  (*line).field("appId", txn.app_id).field("version", txn.version);
  if (txn.updated_ms) (*line).field("lastUpdated", *txn.updated_ms);
}

void encode(const CommitInfo& info, std::string& out) {
  Line line("commitInfo", out);
  (*line).field("timestamp", info.timestamp_ms);
  if (info.in_commit_ms) (*line).field("inCommitTimestamp", *info.in_commit_ms);
  (*line).field("operation", info.operation);
  write_map(*line, "operationParameters", info.parameters);
  if (info.read_version) (*line).field("readVersion", *info.read_version);
  write_optional(*line, "isolationLevel", info.isolation_level);
  if (info.is_blind_append) (*line).field("isBlindAppend", *info.is_blind_append);
  write_map(*line, "operationMetrics", info.metrics);
  write_optional(*line, "userMetadata", info.user_metadata);
  write_optional(*line, "engineInfo", info.engine);
  write_optional(*line, "txnId", info.txn_id);
  write_optional(*line, "projectSqlSha256", info.project_sql_sha256);
  if (info.positions.empty()) return;
  (*line).key("sourcePositions").begin_array();
  for (const SourcePosition& position : info.positions) {
    (*line).begin_object().field("source", position.source);
    (*line).field("from", position.from).field("to", position.to).end_object();
  }
  (*line).end_array();
}

}  // namespace pinpipe::lake
