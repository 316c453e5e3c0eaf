#include "sql/json_table.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "sql/vector_target.h"

namespace pinpipe::sql {

using columns::Column;
using columns::ColumnTarget;
using columns::Counts;
using columns::JsonDecoder;
using columns::Refused;
using columns::Target;

// What one number stands for, and the counts of its last scan.
class JsonTable : public JsonScan {
 public:
  explicit JsonTable(JsonInput input) : input_(std::move(input)) {}

  Counts counts() const override {
    std::lock_guard lock(mutex_);
    return counts_;
  }

  const JsonInput& input() const { return input_; }

  // A scan begins; its number tells whether it is the first.
  uint64_t begin() {
    std::lock_guard lock(mutex_);
    counts_ = {};
    return ++scans_;
  }
  void refuse(uint64_t scan, const Refused& refused) {
    std::lock_guard lock(mutex_);
    if (scan == 1) input_.on_refused(refused);
  }
  void add(uint64_t scan, const Counts& counts) {
    std::lock_guard lock(mutex_);
    if (scan == scans_) counts_ += counts;
  }

 private:
  const JsonInput input_;
  mutable std::mutex mutex_;
  Counts counts_;
  uint64_t scans_ = 0;
};

namespace {

constexpr std::string_view function_name = "pinpipe_json";
// Columns behind the schema's own: where a row came from.
constexpr const char* extra_columns[] = {"_source", "_line", "_bytes"};
constexpr size_t extra_count = std::size(extra_columns);

// memchr is several times faster here than counting byte by byte.
uint64_t lines_in(std::string_view bytes) {
  uint64_t lines = 0;
  for (size_t at = bytes.find('\n'); at != bytes.npos; at = bytes.find('\n', at + 1)) ++lines;
  return lines;
}

// Hands out parts of pieces, cut at line ends, to the scan's threads.
class PartSource {
 public:
  PartSource(std::shared_ptr<JsonTable> table, uint64_t scan)
      : table_(std::move(table)), scan_(scan), pieces_(table_->input().open()) {}

  Result<std::optional<Piece>> next() {
    std::lock_guard lock(mutex_);
    while (current_.bytes.empty()) {
      auto piece = pieces_->next();
      if (!piece) return piece.error();
      if (!*piece) return std::optional<Piece>();
      current_ = std::move(**piece);
    }
    Piece part = current_;
    if (part.bytes.size() > JsonScan::part_bytes_target) {
      size_t end = part.bytes.find('\n', JsonScan::part_bytes_target);
      if (end != std::string_view::npos) part.bytes = part.bytes.substr(0, end + 1);
    }
    current_.bytes.remove_prefix(part.bytes.size());
    if (!current_.bytes.empty()) current_.first_line += lines_in(part.bytes);
    return std::optional(std::move(part));
  }

  JsonTable& table() { return *table_; }
  uint64_t scan() const { return scan_; }

 private:
  const std::shared_ptr<JsonTable> table_;
  const uint64_t scan_;
  std::mutex mutex_;
  std::unique_ptr<Pieces> pieces_;
  Piece current_;
};

// What one database thread has open.
class ThreadScan {
 public:
  ThreadScan(std::shared_ptr<PartSource> parts, std::vector<idx_t> wanted)
      : parts_(std::move(parts)),
        wanted_(std::move(wanted)),
        decoder_(*parts_->table().input().schema, [this](const Refused& refused) {
          parts_->table().refuse(parts_->scan(), refused);
        }) {}
  ~ThreadScan() { report(); }
  ThreadScan(const ThreadScan&) = delete;

  // Fills the chunk; an empty chunk ends this thread's part of the scan.
  Status fill(duckdb_data_chunk chunk) {
    Target target = target_of(chunk);
    size_t rows = 0;
    used_.clear();
    while (rows < target.rows_max) {
      if (parts_->table().input().stop.stop_requested()) {
        return Error(Code::cancelled, "the query was cancelled");
      }
      rows = open_ ? decoder_.fill(target, rows) : rows;
      if (rows == target.rows_max) break;
      auto part = parts_->next();
      if (!part) return part.error();
      open_ = part->has_value();
      if (!open_) break;
      used_.push_back(std::exchange(part_, std::move(**part)));
      decoder_.start(part_.source, part_.bytes, part_.first_line);
    }
    library().data_chunk_set_size(chunk, rows);
    report();
    return {};
  }

 private:
  Target target_of(duckdb_data_chunk chunk) const {
    size_t columns = parts_->table().input().schema->size();
    Target target;
    target.columns.resize(columns);
    target.put_text = put_text_in_vector;
    target.rows_max = library().vector_size();
    for (size_t i = 0; i < wanted_.size(); ++i) {
      duckdb_vector vector = library().data_chunk_get_vector(chunk, i);
      // A query that only counts rows asks for a column that does not exist.
      if (wanted_[i] >= columns + extra_count) continue;
      ColumnTarget column = column_target_of(vector);
      ColumnTarget* extra[] = {&target.source, &target.line, &target.bytes};
      (wanted_[i] < columns ? target.columns[wanted_[i]] : *extra[wanted_[i] - columns]) = column;
    }
    return target;
  }

  void report() {
    const Counts& now = decoder_.counts();
    parts_->table().add(parts_->scan(), {.lines = now.lines - reported_.lines,
                                         .values = now.values - reported_.values,
                                         .rows = now.rows - reported_.rows,
                                         .refused = now.refused - reported_.refused});
    reported_ = now;
  }

  const std::shared_ptr<PartSource> parts_;
  const std::vector<idx_t> wanted_;
  JsonDecoder decoder_;
  Piece part_;
  std::vector<Piece> used_;  // parts that values of the current chunk may point into
  bool open_ = false;
  Counts reported_;
};

struct BindData {
  std::shared_ptr<JsonTable> table;
  int threads;
};
struct InitData {
  std::shared_ptr<PartSource> parts;
};

void bind(duckdb_bind_info info) {
  auto* tables = static_cast<JsonTables*>(library().bind_get_extra_info(info));
  duckdb_value parameter = library().bind_get_parameter(info, 0);
  int64_t number = library().get_int64(parameter);
  library().destroy_value(&parameter);
  std::shared_ptr<JsonTable> table = tables->find(number);
  if (table == nullptr) {
    library().bind_set_error(info, "this JSON input is no longer there");
    return;
  }
  for (const Column& column : table->input().schema->columns()) {
    add_result_column(info, column.name.c_str(), duckdb_type_of(column.type));
  }
  add_result_column(info, extra_columns[0], DUCKDB_TYPE_VARCHAR);
  add_result_column(info, extra_columns[1], DUCKDB_TYPE_BIGINT);
  add_result_column(info, extra_columns[2], DUCKDB_TYPE_VARCHAR);
  library().bind_set_bind_data(info, new BindData{std::move(table), tables->threads()},
                               destroy_as<BindData>);
}

void init(duckdb_init_info info) {
  auto* bound = static_cast<BindData*>(library().init_get_bind_data(info));
  uint64_t scan = bound->table->begin();
  library().init_set_init_data(info, new InitData{std::make_shared<PartSource>(bound->table, scan)},
                               destroy_as<InitData>);
  library().init_set_max_threads(info, static_cast<idx_t>(bound->threads));
}

// The thread's own state is made by its first call of scan(), because only that one sees the parts.
struct LocalData {
  std::vector<idx_t> wanted;
  std::unique_ptr<ThreadScan> scan;
};

void init_thread(duckdb_init_info info) {
  auto local = std::make_unique<LocalData>();
  for (idx_t i = 0; i < library().init_get_column_count(info); ++i) {
    local->wanted.push_back(library().init_get_column_index(info, i));
  }
  library().init_set_init_data(info, local.release(), destroy_as<LocalData>);
}

void scan(duckdb_function_info info, duckdb_data_chunk output) {
  auto* global = static_cast<InitData*>(library().function_get_init_data(info));
  auto* local = static_cast<LocalData*>(library().function_get_local_init_data(info));
  if (local->scan == nullptr) {
    local->scan = std::make_unique<ThreadScan>(global->parts, local->wanted);
  }
  if (auto filled = local->scan->fill(output); !filled) {
    library().function_set_error(info, filled.error().text().c_str());
  }
}

class ListedPieces : public Pieces {
 public:
  explicit ListedPieces(std::vector<Piece> pieces) : pieces_(std::move(pieces)) {}
  Result<std::optional<Piece>> next() override {
    if (at_ == pieces_.size()) return std::optional<Piece>();
    return std::optional(pieces_[at_++]);
  }

 private:
  std::vector<Piece> pieces_;
  size_t at_ = 0;
};

}  // namespace

std::unique_ptr<Pieces> pieces_of(std::vector<Piece> pieces) {
  return std::make_unique<ListedPieces>(std::move(pieces));
}

Status JsonTables::register_function(duckdb_connection connection) {
  const Library& db = library();
  duckdb_table_function function = db.create_table_function();
  db.table_function_set_name(function, function_name.data());
  duckdb_logical_type number = db.create_logical_type(DUCKDB_TYPE_BIGINT);
  db.table_function_add_parameter(function, number);
  db.destroy_logical_type(&number);
  db.table_function_set_extra_info(function, this, nullptr);
  db.table_function_set_bind(function, bind);
  db.table_function_set_init(function, init);
  db.table_function_set_local_init(function, init_thread);
  db.table_function_set_function(function, scan);
  db.table_function_supports_projection_pushdown(function, true);
  duckdb_state state = db.register_table_function(connection, function);
  db.destroy_table_function(&function);
  if (state != DuckDBSuccess)
    return Error(Code::internal, "cannot register the JSON table function");
  return {};
}

std::pair<int64_t, std::shared_ptr<JsonTable>> JsonTables::add(JsonInput input) {
  CHECK(input.schema != nullptr && input.open != nullptr, "a JSON input has a schema and pieces");
  auto table = std::make_shared<JsonTable>(std::move(input));
  std::lock_guard lock(mutex_);
  tables_.emplace(next_, table);
  return {next_++, std::move(table)};
}

void JsonTables::remove(int64_t number) {
  std::lock_guard lock(mutex_);
  tables_.erase(number);
}

std::shared_ptr<JsonTable> JsonTables::find(int64_t number) {
  std::lock_guard lock(mutex_);
  auto found = tables_.find(number);
  return found == tables_.end() ? nullptr : found->second;
}

std::shared_ptr<JsonScan> as_scan(std::shared_ptr<JsonTable> table) {
  return table;
}

}  // namespace pinpipe::sql
