#include "doors/mysql/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "doors/mysql/catalog.h"
#include "doors/mysql/session.h"
#include "source/schema.h"

namespace pinpipe::mysql {
namespace {

constexpr int steps_between_looks = 2'000;

// A path as part of a file: URI.
std::string as_uri(const std::string& path) {
  std::string out = "file:";
  for (char c : path) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '/' || c == '.' || c == '-' || c == '_';
    plain ? out.push_back(c) : void(out += fmt::format("%{:02X}", static_cast<unsigned char>(c)));
  }
  return out + "?mode=ro";
}

std::string_view view(const char* text) {
  return text == nullptr ? std::string_view() : text;
}

const source::TableSchema* table_named(std::string_view name) {
  for (source::Table table : source::all_tables) {
    if (source::schema_of(table).name == name) return &source::schema_of(table);
  }
  return nullptr;
}

const source::Column* column_named(const source::TableSchema& schema, std::string_view name) {
  for (const source::Column& column : schema.columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

// Only reading, and only the three tables and information_schema.
int authorize(void*, int action, const char* first, const char* second, const char* database,
              const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return second != nullptr && std::string_view(second) == "load_extension" ? SQLITE_DENY
                                                                               : SQLITE_OK;
    case SQLITE_READ: {
      std::string_view in = database == nullptr ? "" : database;
      bool of_data = in == data_name && first != nullptr && table_named(first) != nullptr;
      bool computed =
          first != nullptr && in != data_name && std::string_view(first).find("sqlite_") != 0;
      return of_data || computed ? SQLITE_OK : SQLITE_DENY;
    }
    default:
      return SQLITE_DENY;
  }
}

FieldType type_declared(std::string_view declared) {
  if (declared == "bigint") return FieldType::int64;
  if (declared == "int") return FieldType::int32;
  if (declared == "datetime") return FieldType::datetime;
  return FieldType::text;
}

FieldType type_of_kind(source::Kind kind) {
  switch (kind) {
    case source::Kind::integer:
      return FieldType::int32;
    case source::Kind::real:
      return FieldType::real32;
    case source::Kind::datetime:
      return FieldType::datetime;
    default:
      return FieldType::text;
  }
}

FieldType type_of_value(int sqlite_type) {
  if (sqlite_type == SQLITE_INTEGER) return FieldType::int64;
  if (sqlite_type == SQLITE_FLOAT) return FieldType::real64;
  return FieldType::text;
}

std::string_view behind(std::string_view text, std::string_view head) {
  return text.starts_with(head) ? text.substr(head.size()) : std::string_view();
}

// SQLite's sentence as MySQL's.
Failure failure_of(std::string_view text) {
  if (auto name = behind(text, "no such table: "); !name.empty()) {
    std::string full(name);
    if (full.find('.') == std::string::npos) full = std::string(data_name) + "." + full;
    return {1146, "42S02", fmt::format("Table '{}' doesn't exist", full)};
  }
  if (auto name = behind(text, "no such column: "); !name.empty())
    return {1054, "42S22", fmt::format("Unknown column '{}' in 'field list'", name)};
  if (auto name = behind(text, "ambiguous column name: "); !name.empty())
    return {1052, "23000", fmt::format("Column '{}' in field list is ambiguous", name)};
  if (auto name = behind(text, "no such function: "); !name.empty())
    return {1305, "42000", fmt::format("FUNCTION {}.{} does not exist", data_name, name)};
  if (auto name = behind(text, "unknown database "); !name.empty())
    return {1049, "42000", fmt::format("Unknown database '{}'", name)};
  if (text.starts_with("access to ") || text.starts_with("not authorized"))
    return {1142, "42000", "SELECT command denied for what is no table of this server"};
  if (auto at = text.find("\": syntax error"); text.starts_with("near \"") && at != text.npos)
    return fail_syntax(text.substr(6, at - 6)).error();
  return {1064, "42000",
          fmt::format("{} (this endpoint answers with SQLite, which reads most of MySQL's SELECT)",
                      text)};
}

}  // namespace

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}
void Database::Close::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::string& path, Limits limits) {
  std::unique_ptr<Database> made(new Database(limits));
  sqlite3* raw = nullptr;
  int outcome = sqlite3_open_v2(
      ":memory:", &raw,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  made->database_.reset(raw);
  if (outcome != SQLITE_OK) return Error(Code::internal, "cannot open a SQLite connection");
  if (Status attached = made->attach(path); !attached) return attached.error();
  add_functions(raw, &made->running_);
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, value_bytes_max);
  sqlite3_limit(raw, SQLITE_LIMIT_EXPR_DEPTH, 200);
  sqlite3_limit(raw, SQLITE_LIMIT_COMPOUND_SELECT, 200);
  sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 2);
  sqlite3_limit(raw, SQLITE_LIMIT_VARIABLE_NUMBER, 32'766);
  sqlite3_set_authorizer(raw, authorize, nullptr);
  sqlite3_progress_handler(raw, steps_between_looks, on_progress, made.get());
  return made;
}

Status Database::attach(const std::string& path) {
  std::string script =
      fmt::format("PRAGMA trusted_schema=OFF; ATTACH {} AS {}; ATTACH ':memory:' AS {};",
                  literal(as_uri(path)), data_name, schema_name) +
      catalog_script();
  if (sqlite3_exec(database_.get(), script.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK)
    return {};
  return Error(Code::invalid,
               fmt::format("source file {}: {}", path, sqlite3_errmsg(database_.get())));
}

int Database::on_progress(void* self) {
  auto* database = static_cast<Database*>(self);
  const auto* stopping = database->limits_.stopping;
  if (stopping != nullptr && stopping->load(std::memory_order_relaxed)) return 1;
  return system_clock().steady_ns() > database->deadline_ns_ ? 1 : 0;
}

Failure Database::failure() const {
  if (sqlite3_errcode(database_.get()) == SQLITE_INTERRUPT) {
    return {3024, "HY000",
            "Query execution was interrupted, maximum statement execution time exceeded"};
  }
  return failure_of(view(sqlite3_errmsg(database_.get())));
}

Outcome<void> Database::prepare(const Translated& select, const Session& session) {
  end();
  running_.session = &session;
  time_left_ns_ = std::chrono::nanoseconds(limits_.statement_time).count();
  deadline_ns_ = system_clock().steady_ns() + time_left_ns_;
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  int outcome = sqlite3_prepare_v2(database_.get(), select.sql.data(),
                                   static_cast<int>(select.sql.size()), &raw, &tail);
  statement_.reset(raw);
  if (outcome != SQLITE_OK) return std::unexpected(failure());
  if (raw == nullptr || tail != select.sql.data() + select.sql.size()) return fail_syntax(tail);
  return {};
}

Outcome<void> Database::describe_only(const Translated& select, const Session& session) {
  auto prepared = prepare(select, session);
  if (prepared) describe(select.items);
  return prepared;
}

Outcome<void> Database::begin(const Translated& select, std::span<const Parameter> values,
                              const Session& session) {
  if (auto prepared = prepare(select, session); !prepared) return prepared;
  if (auto bound = bind(values); !bound) return bound;
  auto stepped = step();
  if (!stepped) return std::unexpected(stepped.error());
  describe(select.items);
  return {};
}

Outcome<void> Database::bind(std::span<const Parameter> values) {
  sqlite3_stmt* statement = statement_.get();
  if (static_cast<size_t>(sqlite3_bind_parameter_count(statement)) != values.size())
    return fail(1210, "HY000", "Incorrect arguments to EXECUTE");
  for (size_t i = 0; i < values.size(); ++i) {
    const Parameter& value = values[i];
    int at = static_cast<int>(i) + 1;
    switch (value.kind) {
      case Parameter::Kind::null:
        sqlite3_bind_null(statement, at);
        break;
      case Parameter::Kind::integer:
        sqlite3_bind_int64(statement, at, value.integer);
        break;
      case Parameter::Kind::real:
        sqlite3_bind_double(statement, at, value.real);
        break;
      case Parameter::Kind::text:
        sqlite3_bind_text64(statement, at, value.text.data(), value.text.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8);
        break;
    }
  }
  return {};
}

// Runs to the next row, within what is left of the statement's time.
Outcome<bool> Database::step() {
  int64_t begun = system_clock().steady_ns();
  deadline_ns_ = begun + time_left_ns_;
  int outcome = sqlite3_step(statement_.get());
  time_left_ns_ -= system_clock().steady_ns() - begun;
  has_row_ = outcome == SQLITE_ROW;
  if (outcome != SQLITE_ROW && outcome != SQLITE_DONE) {
    Failure why = failure();
    end();
    return std::unexpected(std::move(why));
  }
  return has_row_;
}

void Database::describe(const std::vector<SelectItem>& items) {
  sqlite3_stmt* statement = statement_.get();
  auto count = static_cast<size_t>(sqlite3_column_count(statement));
  columns_.clear();
  for (size_t i = 0; i < count; ++i) {
    int at = static_cast<int>(i);
    std::string name(view(sqlite3_column_name(statement, at)));
    const SelectItem* item = items.size() == count ? &items[i] : nullptr;
    if (item != nullptr && item->translated == name) name = item->written;
    const source::TableSchema* schema = nullptr;
    if (view(sqlite3_column_database_name(statement, at)) == data_name)
      schema = table_named(view(sqlite3_column_table_name(statement, at)));
    const source::Column* found =
        schema == nullptr ? nullptr
                          : column_named(*schema, view(sqlite3_column_origin_name(statement, at)));
    std::string_view declared = view(sqlite3_column_decltype(statement, at));
    if (found != nullptr) {
      columns_.push_back(facts_of(*schema, *found));
      columns_.back().name = std::move(name);
    } else if (!declared.empty()) {
      columns_.push_back(facts_of_type(std::move(name), type_declared(declared)));
    } else if (item != nullptr && item->kind) {
      columns_.push_back(facts_of_type(std::move(name), type_of_kind(*item->kind)));
    } else {
      int type = has_row_ ? sqlite3_column_type(statement, at) : SQLITE_NULL;
      columns_.push_back(facts_of_type(std::move(name), type_of_value(type)));
    }
  }
}

Outcome<bool> Database::add_rows(PacketWriter& to, RowForm form, size_t bytes_max) {
  std::string row;
  while (has_row_) {
    row.clear();
    append_row(row, statement_.get(), columns_, form);
    to.add(row);
    auto stepped = step();
    if (!stepped) return stepped;
    if (to.bytes().size() >= bytes_max) return has_row_;
  }
  return false;
}

void Database::end() {
  statement_.reset();
  running_.session = nullptr;
  has_row_ = false;
}

Result<std::string> Databases::path() {
  std::lock_guard lock(locating_);
  if (path_.empty()) {
    auto located = locate_();
    if (!located) return located;
    path_ = std::move(*located);
  }
  return path_;
}

Outcome<Databases::Lease> Databases::take() {
  {
    std::lock_guard lock(mutex_);
    if (in_use_ >= in_use_max) return fail(1040, "08004", "Too many statements at once");
    ++in_use_;
    if (!idle_.empty()) {
      Lease lease(idle_.back().release(), GiveBack{this});
      idle_.pop_back();
      return lease;
    }
  }
  auto at = path();
  auto opened = at ? Database::open(*at, limits_) : Result<std::unique_ptr<Database>>(at.error());
  if (opened) return Lease(opened->release(), GiveBack{this});
  std::lock_guard lock(mutex_);
  --in_use_;
  return fail(1105, "HY000", opened.error().text());
}

void Databases::GiveBack::operator()(Database* database) const {
  std::unique_ptr<Database> owned(database);
  owned->end();
  std::lock_guard lock(owner->mutex_);
  --owner->in_use_;
  if (owner->idle_.size() < idle_max) owner->idle_.push_back(std::move(owned));
}

}  // namespace pinpipe::mysql
