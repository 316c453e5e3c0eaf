// Writes and reads Delta tables in a directory, so that tests/clients/delta_rs.py can compare them
// with what delta-rs says.
//   lake_sample write ROOT               makes the sample tables; one JSON line of facts per table
//   lake_sample read ROOT TABLE          version, columns and rows of a table, as one JSON object
//   lake_sample race ROOT TABLE APP N    N appends of ten rows each, with txn versions of APP
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>

#include "base/clock.h"
#include "codec/json.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "lake/scan.h"
#include "lake/table.h"
#include "objects/directory_store.h"
#include "sql/engine.h"

namespace pinpipe::lake {
namespace {

class Sample {
 public:
  explicit Sample(const std::string& root)
      : store_({.root = root}, runtime_.disk()),
        engine_(need(sql::Engine::open(
            {.threads = 2, .temp_root = root + "/..", .readable_directories = {}}))),
        services_{
            .store = store_, .work = runtime_.work(), .clock = system_clock(), .connect = [this] {
              return engine_->connect();
            }} {
    (void)wait(store_.create_bucket("lake"));
  }

  template <class T>
  static T need(Result<T> result) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "lake_sample: %s\n", result.error().text().c_str());
    std::exit(1);
  }
  template <class T>
  T wait(io::Task<T> task) {
    return io::wait_on(runtime_.loop(0), std::move(task));
  }

  std::unique_ptr<Table> table_for(const std::string& name, const std::string& select) {
    Schema schema = need(schema_of(*connection_, select));
    return need(wait(Table::open_or_create(services_, {"lake", name}, std::move(schema))));
  }
  void put(Table& table, WriteMode mode, const std::string& select, CommitFacts facts = {}) {
    EncodeOptions options;
    Schema schema = table.snapshot()->schema();
    options.table = &schema;
    Encoded data = need(encode(*connection_, select, store_.new_temporary(), options));
    need(wait(table.write(mode, std::move(data), std::move(facts))));
  }
  // The rows that the SQL gives, without any Parquet in between.
  std::string rows_of(const std::string& select) {
    auto answer = need(connection_->query(
        fmt::format("SELECT CAST(to_json(data) AS VARCHAR) FROM ({}) AS data", select),
        {.rows_max = 1'000'000}));
    std::string rows = "[";
    for (const sql::Row& row : answer.rows) {
      if (rows.size() > 1) rows += ",\n";
      rows += *row[0].get_if<std::string>();
    }
    return rows + "]";
  }
  void print(const std::string& name, const Table& table, const std::string& rows) {
    auto snapshot = table.snapshot();
    std::string line;
    codec::JsonWriter out(line);
    out.begin_object().field("table", name).field("version", snapshot->version());
    out.field("schema", snapshot->metadata().schema_string).key("txns").begin_object();
    for (const auto& [app_id, txn] : snapshot->txns()) out.field(app_id, txn.version);
    out.end_object().key("rows").raw(rows).end_object();
    std::printf("%s\n\n", line.c_str());
  }

  void write_all();
  void write_every_type();
  void read(const std::string& name);
  void race(const std::string& name, const std::string& app_id, int count);

 private:
  io::Runtime runtime_{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  objects::DirectoryStore store_;
  std::unique_ptr<sql::Engine> engine_;
  Services services_;
  std::unique_ptr<sql::Connection> connection_{need(engine_->connect())};
};

void Sample::write_every_type() {
  std::string select =
      "SELECT i AS id, i::SMALLINT AS small, i::TINYINT AS tiny, i::BIGINT * 4000000007 AS big, "
      "CASE WHEN i % 3 = 0 THEN NULL ELSE 'row ' || i || repeat('\xC3\xBC', i::INT) END AS text, "
      "i * 1.5::DOUBLE AS ratio, i::FLOAT AS single, (i * 1.25)::DECIMAL(10,2) AS price, "
      "i % 2 = 0 AS even, CAST('b' || i AS BLOB) AS bytes, "
      "DATE '2024-01-01' + i::INT AS day, "
      "TIMESTAMP '2024-03-31 01:30:00.123456' + to_hours(i) AS \"at\", "
      "CASE WHEN i % 4 = 0 THEN NULL ELSE [i * 0.5::DOUBLE, NULL, -i::DOUBLE] END AS coordinates, "
      "{'x': i, 'name': CASE WHEN i = 7 THEN NULL ELSE 'n' END} AS nested, "
      "MAP {'k': i} AS labels "
      "FROM (SELECT i::INTEGER AS i FROM range(0, 60) AS r(i)) AS numbers";
  auto table = table_for("every_type", select);
  put(*table, WriteMode::append, select);
  std::string rows =
      rows_of(fmt::format("SELECT * REPLACE (\"at\"::TIMESTAMPTZ AS \"at\", "
                          "hex(bytes) AS bytes) FROM ({}) AS s",
                          select));
  print("every_type", *table, rows);
}

void Sample::write_all() {
  write_every_type();
  std::string numbers = "SELECT i AS n, 'row ' || i AS text FROM range({}, {}) AS r(i)";

  auto stream = table_for("stream", fmt::format(fmt::runtime(numbers), 0, 1));
  for (int batch = 0; batch < 35; ++batch) {
    CommitFacts facts;
    facts.txns.push_back({.app_id = "stream/uuid/0", .version = batch * 10 + 9});
    facts.positions.push_back({.source = "stream/uuid/0",
                               .from = fmt::format("{}", batch * 10),
                               .to = fmt::format("{}", batch * 10 + 9)});
    put(*stream, WriteMode::append, fmt::format(fmt::runtime(numbers), batch * 10, batch * 10 + 10),
        facts);
  }
  print("stream", *stream, rows_of(fmt::format(fmt::runtime(numbers), 0, 350)));

  auto clean = table_for("clean", fmt::format(fmt::runtime(numbers), 0, 1));
  put(*clean, WriteMode::overwrite, fmt::format(fmt::runtime(numbers), 0, 100));
  CommitFacts facts;
  facts.project_sql_sha256 = "0123";
  put(*clean, WriteMode::overwrite, fmt::format(fmt::runtime(numbers), 500, 700), facts);
  print("clean", *clean, rows_of(fmt::format(fmt::runtime(numbers), 500, 700)));
}

void Sample::read(const std::string& name) {
  auto table = need(wait(Table::open(services_, {"lake", name})));
  Scan rows = need(wait(scan(services_, table->location(), table->snapshot())));
  print(name, *table, rows_of(rows.select));
}

void Sample::race(const std::string& name, const std::string& app_id, int count) {
  auto table = need(wait(Table::open(services_, {"lake", name})));
  for (int i = 0; i < count; ++i) {
    CommitFacts facts;
    facts.txns.push_back({.app_id = app_id, .version = i});
    put(*table, WriteMode::append,
        fmt::format("SELECT i AS n, '{}' AS text FROM range({}, {}) AS r(i)", app_id, i * 10,
                    i * 10 + 10),
        facts);
  }
  std::printf("{\"version\":%lld}\n", static_cast<long long>(table->snapshot()->version()));
}

int number_of(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace
}  // namespace pinpipe::lake

int main(int argc, char** argv) {
  std::string_view verb = argc > 2 ? argv[1] : "";
  if (verb == "write" && argc == 3) {
    pinpipe::lake::Sample(argv[2]).write_all();
  } else if (verb == "read" && argc == 4) {
    pinpipe::lake::Sample(argv[2]).read(argv[3]);
  } else if (verb == "race" && argc == 6) {
    pinpipe::lake::Sample(argv[2]).race(argv[3], argv[4], pinpipe::lake::number_of(argv[5]));
  } else {
    std::fprintf(stderr,
                 "usage: lake_sample write ROOT | read ROOT TABLE | race ROOT TABLE APP N\n");
    return 2;
  }
  return 0;
}
