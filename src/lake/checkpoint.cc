#include "lake/checkpoint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "io/files.h"

namespace pinpipe::lake {
namespace {

constexpr size_t json_write_bytes = size_t{1} << 20;
constexpr int64_t day_ms = 86'400'000;

// The columns as the protocol names them, with the DuckDB types that yield its Parquet types.
constexpr std::string_view checkpoint_columns =
    "{'txn': 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)', "
    "'add': 'STRUCT(path VARCHAR, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, "
    "modificationTime BIGINT, dataChange BOOLEAN, tags MAP(VARCHAR, VARCHAR), stats VARCHAR)', "
    "'remove': 'STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, "
    "extendedFileMetadata BOOLEAN, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT)', "
    "'metaData': 'STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider "
    "VARCHAR, options MAP(VARCHAR, VARCHAR)), schemaString VARCHAR, partitionColumns VARCHAR[], "
    "configuration MAP(VARCHAR, VARCHAR), createdTime BIGINT)', "
    "'protocol': 'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures "
    "VARCHAR[], writerFeatures VARCHAR[])'}";

struct ActionColumn {
  std::string_view name;
  std::vector<std::string_view> members;  // the ones we read
};

const std::vector<ActionColumn>& action_columns() {
  static const std::vector<ActionColumn> columns = {
      {"protocol", {"minReaderVersion", "minWriterVersion", "readerFeatures", "writerFeatures"}},
      {"metaData",
       {"id", "name", "description", "schemaString", "partitionColumns", "configuration",
        "createdTime"}},
      {"txn", {"appId", "version", "lastUpdated"}},
      {"remove",
       {"path", "deletionTimestamp", "dataChange", "partitionValues", "size", "deletionVector"}},
      {"add",
       {"path", "partitionValues", "size", "modificationTime", "dataChange", "stats", "tags",
        "deletionVector"}},
      {"sidecar", {"path"}},
  };
  return columns;
}

// Lines of JSON into a file, a megabyte at a time: a checkpoint of a million files is not held
// twice.
class LineFile {
 public:
  static Result<LineFile> create(const std::string& path) {
    auto file = io::posix_files().open(path, io::OpenMode::create_new);
    if (!file) return file.error();
    return LineFile(std::move(*file));
  }
  template <class Action>
  Status write(const Action& action) {
    size_t before = buffer_.size();
    encode(action, buffer_);
    longest_ = std::max(longest_, buffer_.size() - before);
    ++lines_;
    return buffer_.size() < json_write_bytes ? Status{} : flush();
  }
  Status flush() {
    auto written = file_->write_at(std::string_view(buffer_), offset_);
    offset_ += buffer_.size();
    buffer_.clear();
    return written;
  }
  int64_t lines() const { return lines_; }
  size_t longest() const { return longest_; }

 private:
  explicit LineFile(std::unique_ptr<io::File> file) : file_(std::move(file)) {}

  std::unique_ptr<io::File> file_;
  std::string buffer_;
  uint64_t offset_ = 0;
  int64_t lines_ = 0;
  size_t longest_ = 0;
};

struct WrittenLines {
  int64_t count = 0;
  size_t longest = 0;
};

// Tombstones older than this are of no use to anybody: vacuum may have deleted their files.
int64_t oldest_tombstone_ms(const Snapshot& snapshot, int64_t now_ms) {
  auto retention =
      parse_interval_ms(snapshot.property("delta.deletedFileRetentionDuration", "interval 7 days"));
  return now_ms - retention.value_or(7 * day_ms);
}

Result<WrittenLines> write_lines(const Snapshot& snapshot, int64_t now_ms,
                                 const std::string& path) {
  auto lines = LineFile::create(path);
  if (!lines) return lines.error();
  Status written = lines->write(snapshot.protocol());
  if (written) written = lines->write(snapshot.metadata());
  for (const auto& [app_id, txn] : snapshot.txns()) {
    if (written) written = lines->write(txn);
  }
  int64_t oldest_ms = oldest_tombstone_ms(snapshot, now_ms);
  for (const auto& [key, remove] : snapshot.tombstones()) {
    if (written && remove.deleted_ms.value_or(0) > oldest_ms) written = lines->write(remove);
  }
  for (const FilePtr& file : snapshot.files()) {
    if (written) written = lines->write(*file);
  }
  if (written) written = lines->flush();
  if (!written) return written.error();
  return WrittenLines{.count = lines->lines(), .longest = lines->longest()};
}

// The member names of "STRUCT(a INTEGER, "b c" STRUCT(…), …)", the outermost ones.
std::vector<std::string> members_of(std::string_view type) {
  std::vector<std::string> members;
  if (!type.starts_with("STRUCT(")) return members;
  type.remove_prefix(7);
  int depth = 0;
  bool at_name = true;
  while (!type.empty() && depth >= 0) {
    if (at_name && depth == 0) {
      bool quoted = type.starts_with('"');
      if (quoted) type.remove_prefix(1);
      size_t end = type.find(quoted ? '"' : ' ');
      if (end == std::string_view::npos) break;
      members.emplace_back(type.substr(0, end));
      type.remove_prefix(end);
      at_name = false;
    }
    char c = type.front();
    type.remove_prefix(1);
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == ',' && depth == 0) {
      at_name = true;
      if (type.starts_with(' ')) type.remove_prefix(1);
    }
  }
  return members;
}

// What the answer's columns are: first the plain files, then one column of JSON per action.
constexpr size_t add_columns = 4;  // path, size, modificationTime, stats

struct CheckpointQuery {
  std::string sql;
  std::vector<std::string_view> names;  // the actions that come as JSON
};

bool has_member(const std::vector<std::string>& members, std::string_view name) {
  return std::ranges::find(members, name) != members.end();
}

// The known members of one action as JSON, where `condition` holds.
std::string json_column(const ActionColumn& column, const std::vector<std::string>& present,
                        std::string_view condition) {
  std::string members;
  for (const std::string& member : present) {
    if (std::ranges::find(column.members, member) == column.members.end()) continue;
    if (!members.empty()) members += ", ";
    members += fmt::format("'{0}': \"{1}\".\"{0}\"", member, column.name);
  }
  return fmt::format(
      "CASE WHEN \"{0}\" IS NOT NULL AND ({1}) THEN CAST(to_json({{{2}}}) AS VARCHAR) "
      "END AS \"{0}\"",
      column.name, condition, members);
}

// Nearly every row is a file with nothing but a path, sizes and statistics: those come as they are,
// which is several times as fast as JSON. What else a file may have makes it odd.
std::string odd_file_condition(const std::vector<std::string>& members) {
  std::string condition = "false";
  if (has_member(members, "partitionValues")) {
    condition += " OR cardinality(\"add\".\"partitionValues\") > 0";
  }
  for (std::string_view rare : {"tags", "deletionVector"}) {
    if (has_member(members, rare)) condition += fmt::format(" OR \"add\".\"{}\" IS NOT NULL", rare);
  }
  return condition;
}

std::string plain_file_columns(const std::vector<std::string>& members) {
  std::string columns;
  for (std::string_view name : {"path", "size", "modificationTime", "stats"}) {
    if (!columns.empty()) columns += ", ";
    columns += has_member(members, name) ? fmt::format("\"add\".\"{}\"", name) : "NULL";
  }
  return columns;
}

// A foreign checkpoint may lack columns and members, and may carry statistics twice.
Result<CheckpointQuery> query_of(sql::Connection& connection, const std::string& source) {
  auto described = connection.query("DESCRIBE SELECT * FROM " + source);
  if (!described) return described.error();
  std::map<std::string, std::vector<std::string>> present;
  for (const sql::Row& row : described->rows) {
    const auto* name = row[0].get_if<std::string>();
    const auto* type = row[1].get_if<std::string>();
    if (name != nullptr && type != nullptr) present[*name] = members_of(*type);
  }
  if (!present.contains("add") || !has_member(present["add"], "path")) {
    return Error(Code::corrupt, "the file has none of a checkpoint's columns");
  }
  CheckpointQuery query;
  query.sql = "SELECT " + plain_file_columns(present["add"]);
  for (const ActionColumn& column : action_columns()) {
    auto at = present.find(std::string(column.name));
    if (at == present.end()) continue;
    std::string condition = column.name == "add" ? odd_file_condition(at->second) : "true";
    query.sql += ", " + json_column(column, at->second, condition);
    query.names.push_back(column.name);
  }
  query.sql += " FROM " + source;
  return query;
}

Status apply_plain_file(const sql::Row& row, Actions& actions) {
  const auto* path = row[0].get_if<std::string>();
  if (path == nullptr) return {};
  const auto* size = row[1].get_if<int64_t>();
  const auto* modified_ms = row[2].get_if<int64_t>();
  const auto* stats = row[3].get_if<std::string>();
  if (path->empty() || size == nullptr || *size < 0) {
    return Error(Code::corrupt, "a file has no path or no size");
  }
  AddFile& add = actions.adds.emplace_back();
  add.path = *path;
  add.size = *size;
  if (modified_ms != nullptr) add.modified_ms = *modified_ms;
  if (stats != nullptr) add.stats = *stats;
  return {};
}

Status apply_rows(std::span<const sql::Row> rows, std::span<const std::string_view> names,
                  codec::JsonScanner& scanner, Snapshot& into) {
  Actions actions;
  for (const sql::Row& row : rows) {
    bool has_json = false;
    for (size_t i = 0; i < names.size(); ++i) {
      const auto* json = row[add_columns + i].get_if<std::string>();
      if (json == nullptr) continue;
      has_json = true;
      auto decoded = decode_named(scanner, names[i], *json, actions);
      if (!decoded) return decoded;
    }
    if (has_json) continue;
    auto applied = apply_plain_file(row, actions);
    if (!applied) return applied;
  }
  return into.apply_checkpoint_rows(std::move(actions));
}

}  // namespace

std::string to_json(const LastCheckpoint& last) {
  std::string json;
  codec::JsonWriter out(json);
  out.begin_object().field("version", last.version).field("size", last.actions);
  out.field("sizeInBytes", last.bytes).field("numOfAddFiles", last.files).end_object();
  return json;
}

std::optional<LastCheckpoint> parse_last_checkpoint(std::string_view json) {
  auto root = codec::parse_json(json);
  if (!root) return std::nullopt;
  auto version = (*root)["version"].as_int();
  if (!version || *version < 0) return std::nullopt;
  return LastCheckpoint{.version = *version,
                        .actions = (*root)["size"].as_int().value_or(0),
                        .bytes = (*root)["sizeInBytes"].as_int().value_or(0),
                        .files = (*root)["numOfAddFiles"].as_int().value_or(0)};
}

Result<WrittenCheckpoint> write_checkpoint(sql::Connection& connection, const Snapshot& snapshot,
                                           int64_t now_ms, const std::string& temporary) {
  std::string json_path = temporary + ".json";
  auto lines = write_lines(snapshot, now_ms, json_path);
  Result<sql::ParquetFile> file = Error(Code::internal, "nothing written");
  if (lines) {
    // The engine allocates a multiple of the longest line it is told to expect.
    size_t line_bytes_max = std::max(lines->longest + 1, size_t{64} << 10);
    file = connection.copy_to_parquet(
        fmt::format("SELECT * FROM read_json({}, format = 'newline_delimited', "
                    "maximum_object_size = {}, columns = {})",
                    sql::quoted_text(json_path), line_bytes_max, checkpoint_columns),
        temporary);
  }
  Status removed = io::posix_files().remove(json_path);
  if (!lines) return lines.error();
  if (!file) return file.error();
  if (!removed) return removed.error();
  if (file->rows != lines->count) return Error(Code::internal, "the checkpoint lost rows");
  return WrittenCheckpoint{.path = temporary,
                           .facts = {.version = snapshot.version(),
                                     .actions = lines->count,
                                     .bytes = file->bytes,
                                     .files = static_cast<int64_t>(snapshot.files().size())}};
}

Status read_checkpoint(sql::Connection& connection, std::span<const std::string> paths,
                       Version version, Snapshot& into) {
  auto query = query_of(connection, sql::read_parquet(paths));
  if (!query) return Error(Code::corrupt, query.error().text());
  into.begin_checkpoint(version);
  codec::JsonScanner scanner;
  Status applied;
  auto streamed = connection.stream(
      query->sql, [](std::span<const sql::ColumnHead>) {},
      [&](std::span<const sql::Row> rows) {
        applied = apply_rows(rows, query->names, scanner, into);
        return applied.has_value();
      });
  if (!applied) return applied;
  if (!streamed) return Error(Code::corrupt, streamed.error().text());
  if (into.protocol().min_reader_version == 0 || into.schema().fields.empty()) {
    return Error(Code::corrupt, "the checkpoint has no protocol or no metaData");
  }
  return {};
}

io::Task<Result<LastCheckpoint>> publish_checkpoint(const Services& services, Location location,
                                                    std::shared_ptr<const Snapshot> snapshot) {
  std::string temporary = services.store.new_temporary();
  auto work = [&]() -> Result<WrittenCheckpoint> {
    auto connection = services.connect();
    if (!connection) return connection.error();
    auto done = write_checkpoint(**connection, *snapshot, services.clock.wall_ms(), temporary);
    if (!done) (void)io::posix_files().remove(temporary);
    return done;
  };
  auto written = co_await services.work.run(work);
  if (!written) co_return written.error();
  // Racing checkpoints of one version hold the same actions: the last one wins, harmlessly.
  auto adopted = co_await services.store.adopt(
      location.bucket, temporary, location.checkpoint_key(snapshot->version()), {}, {});
  if (!adopted) co_return adopted.error();
  auto hinted = co_await services.store.put(location.bucket, location.last_checkpoint_key(),
                                            to_json(written->facts), {}, {});
  if (!hinted) co_return hinted.error();
  co_return written->facts;
}

std::optional<int64_t> parse_interval_ms(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, int64_t>, 7> units = {{{"week", 7 * day_ms},
                                                                          {"day", day_ms},
                                                                          {"hour", 3'600'000},
                                                                          {"minute", 60'000},
                                                                          {"second", 1'000},
                                                                          {"millisecond", 1},
                                                                          {"microsecond", 0}}};
  auto next_word = [&text] {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
  };
  std::string_view word = next_word();
  if (word == "interval" || word == "INTERVAL") word = next_word();
  if (word.empty()) return std::nullopt;
  int64_t sum_ms = 0;
  for (; !word.empty(); word = next_word()) {
    int64_t count = 0;
    auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
    if (error != std::errc{} || end != word.data() + word.size() || count < 0) return std::nullopt;
    std::string unit(next_word());
    for (char& c : unit) c = static_cast<char>(c | 0x20);
    if (unit.ends_with('s')) unit.pop_back();
    auto at = std::ranges::find(units, unit, &std::pair<std::string_view, int64_t>::first);
    if (at == units.end() || count > INT64_MAX / (7 * day_ms) / 2) return std::nullopt;
    sum_ms += count * at->second;
  }
  return sum_ms;
}

}  // namespace pinpipe::lake
