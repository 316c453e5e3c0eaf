#include "jobs/stream_clean.h"

#include <fmt/format.h>
#include <limits>

#include "base/bytes.h"
#include "base/check.h"
#include "codec/json.h"
#include "codec/json_text.h"
#include "io/files.h"
#include "jobs/stream_statement.h"
#include "sql/connection.h"

namespace pinpipe::jobs {
namespace {

struct QuarantineColumn {
  const char* name;
  columns::Type type;
  const char* sql_type;
};

// encoding says how `bytes` is to be read: "text" as it is, "base64" where it was no UTF-8.
constexpr QuarantineColumn quarantine_columns[] = {
    {"source", columns::Type::text, "VARCHAR"},
    {"shard", columns::Type::int32, "INTEGER"},
    {"record_offset", columns::Type::int64, "BIGINT"},
    {"arrived", columns::Type::timestamp, "TIMESTAMP"},
    {"reason", columns::Type::text, "VARCHAR"},
    {"encoding", columns::Type::text, "VARCHAR"},
    {"bytes", columns::Type::text, "VARCHAR"},
    {"quarantined_at", columns::Type::timestamp, "TIMESTAMP"},
};

std::shared_ptr<const columns::Schema> quarantine_input() {
  static const auto schema = [] {
    std::vector<columns::Column> list;
    for (const QuarantineColumn& column : quarantine_columns)
      list.push_back({.name = column.name, .type = column.type, .nullable = false, .synonyms = {}});
    auto made = columns::Schema::make(std::move(list));
    CHECK(made.has_value(), "the quarantine's columns are good ones");
    return std::make_shared<const columns::Schema>(std::move(*made));
  }();
  return schema;
}

bool is_plain_text(std::string_view bytes) {
  return codec::is_utf8(bytes) && bytes.find('\0') == std::string_view::npos;
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
  codec::append_json_string(out, text);
}

std::string quarantine_lines(const std::vector<RefusedRecord>& refused, const std::string& stream,
                             int64_t now_ms) {
  std::string lines;
  std::string now = to_rfc3339(now_ms);
  for (const RefusedRecord& record : refused) {
    bool plain = is_plain_text(record.bytes);
    fmt::format_to(std::back_inserter(lines), "{{\"shard\":{},\"record_offset\":{}", record.shard,
                   record.offset);
    append_member(lines, "source", fmt::format("{}/{}/{}", stream, record.shard, record.offset));
    append_member(lines, "arrived", to_rfc3339(record.arrived_ms));
    append_member(lines, "reason",
                  is_plain_text(record.reason) ? record.reason : "not valid UTF-8");
    append_member(lines, "encoding", plain ? "text" : "base64");
    append_member(lines, "bytes", plain ? record.bytes : to_base64(record.bytes));
    append_member(lines, "quarantined_at", now);
    lines += "}\n";
  }
  return lines;
}

void drop_files(const lake::Encoded& data) {
  for (const lake::DataFile& file : data.files) (void)io::posix_files().remove(file.temporary_path);
}

}  // namespace

Result<std::shared_ptr<sql::Engine>> WarmEngine::get() {
  std::lock_guard lock(mutex_);
  bool is_worn = sql::Engine::is_worn(opened_ms_, clock_.steady_ms());
  if (auto engine = engine_.lock(); engine && !is_worn) return engine;
  auto opened = sql::Engine::open(options_);
  if (!opened) return opened.error();
  std::shared_ptr<sql::Engine> engine = std::move(*opened);
  engine_ = engine;
  opened_ms_ = clock_.steady_ms();
  return engine;
}

Result<std::unique_ptr<sql::Connection>> WarmEngine::connect() {
  auto engine = get();
  if (!engine) return engine.error();
  return (*engine)->connect();
}

const lake::Schema& StreamCleaner::quarantine_schema() {
  static const lake::Schema schema = [] {
    lake::Schema made;
    for (const QuarantineColumn& column : quarantine_columns)
      made.fields.push_back({.name = column.name, .type = *lake::type_of_sql(column.sql_type)});
    return made;
  }();
  return schema;
}

// A failure in the project's SQL names the file and the place in it.
Error StreamCleaner::with_place(const Error& error, const project::SqlFile& file) const {
  const sql::Failure& failure = session_.connection->last_failure();
  if (!failure.position) return error.with(file.path);
  return error.with(
      fmt::format("{}:{}:{}", file.path, failure.position->line, failure.position->column));
}

Status StreamCleaner::open(WarmEngine& engine) {
  if (auto wrong = check_per_batch(dataset_); !wrong.empty())
    return Error(Code::invalid, project::one_line(wrong.front()));
  auto got = engine.get();
  if (!got) return is_open() ? Status() : got.error();
  auto connection = (*got)->connect();
  if (!connection) return is_open() ? Status() : connection.error();
  Session former = std::exchange(
      session_,
      {.engine = std::move(*got), .connection = std::move(*connection), .scan = {}, .input = {}});
  Status made = make_views();
  if (made) {
    opened_ms_ = clock_.steady_ms();
    return {};
  }
  session_ = std::move(former);
  return is_open() ? Status() : made;
}

Status StreamCleaner::make_views() {
  Status made =
      set_input({"raw", dataset_.name}, std::make_shared<const columns::Schema>(dataset_.schema),
                {}, [](const columns::Refused&) {}, {});
  if (!made) return made;
  made = session_.connection->create_view({"clean", dataset_.name}, dataset_.clean.text);
  return made ? made : with_place(made.error(), dataset_.clean);
}

bool StreamCleaner::close() {
  bool was_open = is_open();
  session_ = {};
  return was_open;
}

Status StreamCleaner::set_input(sql::TableName view, std::shared_ptr<const columns::Schema> schema,
                                std::vector<sql::Piece> pieces,
                                columns::JsonDecoder::OnRefused on_refused, std::stop_token stop) {
  // Shared, so that the records can go when they are used up while the view stays.
  session_.input = std::make_shared<std::vector<sql::Piece>>(std::move(pieces));
  sql::JsonInput input{.schema = std::move(schema),
                       .open = [pieces = session_.input] { return sql::pieces_of(*pieces); },
                       .on_refused = std::move(on_refused),
                       .stop = std::move(stop)};
  auto scan = session_.connection->create_json_view(view, std::move(input));
  if (!scan) return scan.error();
  session_.scan = std::move(*scan);
  return {};
}

Result<lake::Schema> StreamCleaner::schema() {
  return lake::schema_of(*session_.connection,
                         "SELECT * FROM " + sql::TableName{"clean", dataset_.name}.quoted());
}

Result<CleanedBatch> StreamCleaner::clean(const StreamBatch& batch, const lake::Schema& table,
                                          const Places& places, std::stop_token stop) {
  auto cleaned = clean_now(batch, table, places, stop, {});
  if (!cleaned && cleaned.error().code() == Code::invalid) {
    Poison poison;
    Status found = find_poison(batch, table, places, stop, poison);
    if (found && !poison.empty()) {
      cleaned =
          clean_now(batch, table, places, stop, {.first = 0, .last = SIZE_MAX, .refused = &poison});
    } else if (!found) {
      cleaned = found.error();
    }
  }
  if (session_.input) session_.input->clear();
  return cleaned;
}

// Ranges of records that the SQL cannot take are halved until each is one record.
Status StreamCleaner::find_poison(const StreamBatch& batch, const lake::Schema& table,
                                  const Places& places, const std::stop_token& stop,
                                  Poison& poison) {
  size_t records = lines_of(batch, stream_, filter_).records;
  std::vector<std::pair<size_t, size_t>> ranges{{0, records}};
  while (!ranges.empty()) {
    auto [first, last] = ranges.back();
    ranges.pop_back();
    if (first == last) continue;
    auto tried = clean_now(batch, table, places, stop, {.first = first, .last = last});
    if (tried) {
      drop_files(tried->rows);
      drop_files(tried->quarantine);
      continue;
    }
    if (tried.error().code() != Code::invalid) return tried.error();
    if (last - first > 1) {
      size_t middle = first + (last - first) / 2;
      ranges.emplace_back(middle, last);
      ranges.emplace_back(first, middle);
      continue;
    }
    const std::string& message = session_.connection->last_failure().message;
    poison[first] = message.empty() ? tried.error().text() : message;
    if (poison.size() > poison_max)
      return tried.error().with(
          fmt::format("more than {} records of a batch fail, so it is not they", poison_max));
  }
  return {};
}

Result<CleanedBatch> StreamCleaner::clean_now(const StreamBatch& batch, const lake::Schema& table,
                                              const Places& places, std::stop_token stop,
                                              const RecordChoice& choice) {
  StreamLines lines = lines_of(batch, stream_, filter_, choice);
  CleanedBatch cleaned{
      .rows = {}, .quarantine = {}, .records = lines.records, .oldest_ms = lines.oldest_ms};
  std::vector<RefusedRecord> refused = std::move(lines.refused);
  const size_t no_lines = refused.size();
  auto raw = std::make_shared<const columns::Schema>(dataset_.schema);
  auto take_refused = [&](const columns::Refused& one) {
    RefusedRecord record = record_at(batch, one.source, one.line);
    record.reason = one.reason;
    record.bytes = one.bytes;
    refused.push_back(std::move(record));
  };
  Status set = set_input({"raw", dataset_.name}, raw, std::move(lines.pieces), take_refused, stop);
  if (!set) return set.error();
  auto rows = lake::encode(*session_.connection,
                           "SELECT * FROM " + sql::TableName{"clean", dataset_.name}.quoted(),
                           places.rows, {.table = &table, .stop = stop});
  if (!rows) return rows.error().with(dataset_.clean.path);
  cleaned.rows = std::move(*rows);
  columns::Counts counts = session_.scan->counts();
  cleaned.raw_rows = counts.rows;
  cleaned.values = counts.values + no_lines;
  const size_t unreadable = refused.size();
  Status taken = counts.lines == lines.lines
                     ? take_quarantined(batch, refused, stop)
                     : Status(Error(Code::internal,
                                    fmt::format("{} records of {} were read; does {} read all of "
                                                "raw.{}?",
                                                counts.lines, lines.lines, dataset_.clean.path,
                                                dataset_.name)));
  cleaned.quarantined = refused.size();
  cleaned.filtered = static_cast<int64_t>(counts.rows) - cleaned.rows.rows() -
                     static_cast<int64_t>(refused.size() - unreadable);
  bool is_whole = choice.first == 0 && choice.last == SIZE_MAX;
  if (taken && !refused.empty() && !batch.is_replay && is_whole) {
    session_.input->clear();
    auto encoded = encode_quarantine(refused, places.quarantine, stop);
    taken = encoded ? Status() : encoded.error();
    if (encoded) cleaned.quarantine = std::move(*encoded);
  }
  if (taken) return cleaned;
  drop_files(cleaned.rows);
  return taken.error();
}

// The raw rows that the project's own SQL sets aside.
Status StreamCleaner::take_quarantined(const StreamBatch& batch, std::vector<RefusedRecord>& into,
                                       const std::stop_token& stop) {
  if (dataset_.quarantine.text.empty()) return {};
  auto taken = session_.connection->query(
      dataset_.quarantine.text, {.rows_max = std::numeric_limits<size_t>::max(), .stop = stop});
  if (!taken) return with_place(taken.error(), dataset_.quarantine);
  for (const sql::Row& row : taken->rows) {
    RefusedRecord record = record_at(batch, sql::to_text(row[0]),
                                     std::strtoull(sql::to_text(row[1]).c_str(), nullptr, 10));
    record.bytes = sql::to_text(row[2]);
    record.reason = sql::to_text(row[3]);
    into.push_back(std::move(record));
  }
  return {};
}

Result<lake::Encoded> StreamCleaner::encode_quarantine(const std::vector<RefusedRecord>& refused,
                                                       const std::string& place,
                                                       std::stop_token stop) {
  auto bytes =
      std::make_shared<const std::string>(quarantine_lines(refused, stream_, clock_.wall_ms()));
  std::vector<sql::Piece> pieces;
  pieces.push_back({.source = "quarantine", .bytes = *bytes, .first_line = 1, .keep = bytes});
  sql::TableName view{"quarantine", dataset_.name};
  std::string problem;
  auto note = [&](const columns::Refused& one) { problem = one.reason; };
  Status set = set_input(view, quarantine_input(), std::move(pieces), note, stop);
  if (!set) return set.error();
  auto encoded = lake::encode(*session_.connection, "SELECT * FROM " + view.quoted(), place,
                              {.table = &quarantine_schema(), .stop = stop});
  if (!encoded) return encoded.error();
  CHECK(problem.empty(), "the quarantine's own lines can be read: " + problem);
  return encoded;
}

}  // namespace pinpipe::jobs
