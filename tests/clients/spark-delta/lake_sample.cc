// Writes and reads Delta tables in a directory, so that the group spark-delta can compare them with
// what delta-rs, Spark and DuckDB say.
// ROOT is a directory, or s3://bucket/prefix of a service that the AWS_… variables name.
//   lake_sample write ROOT               makes the sample tables; one JSON line of facts per table
//   lake_sample read ROOT TABLE [N]      version, columns and rows of a table (as it was at version
//                                        N), as one JSON object
//   lake_sample optimize|checkpoint|add_column ROOT TABLE, restore ROOT TABLE N
//                                        does that, then prints the table
//   lake_sample vacuum ROOT TABLE        of all that is not live: prints the deleted files' names
//   lake_sample credentials ROOT         writes authentication_credentials, then reads it
//   lake_sample churn ROOT TABLE APP     appends with rising txn versions, optimizes, writes
//                                        checkpoints and vacuums until it is killed
//   lake_sample tally ROOT TABLE         how often each (text, n) is there, and the txn versions
//   lake_sample race ROOT TABLE APP N    N appends of ten rows each, with txn versions of APP
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "codec/json.h"
#include "io/runtime.h"
#include "io/scope.h"
#include "lake/credential_table.h"
#include "lake/moment.h"
#include "lake/optimize.h"
#include "lake/scan.h"
#include "lake/table.h"
#include "lake/vacuum.h"
#include "objects/directory_store.h"
#include "objects/remote_store.h"
#include "sql/engine.h"

namespace pinpipe::lake {
namespace {

class Sample {
 public:
  explicit Sample(const std::string& root)
      : temporary_(root.starts_with("s3://") ? "/tmp" : root + "/.."),
        engine_(need(sql::Engine::open(
            {.threads = 2, .temp_root = temporary_, .readable_directories = {}}))) {
    if (root.starts_with("s3://")) {
      size_t slash = root.find('/', 5);
      bucket_ = root.substr(5, slash - 5);
      folder_ = root.substr(slash + 1) + "/";
      store_ = need(objects::RemoteStore::open(
          {.endpoint = variable("AWS_ENDPOINT_URL"),
           .credential = {.access_key = variable("AWS_ACCESS_KEY_ID"),
                          .secret = variable("AWS_SECRET_ACCESS_KEY"),
                          .session_token = {},
                          .principal = {}},
           .temporary_directory = fmt::format("{}/lake-sample-{}", temporary_, ::getpid())},
          runtime_.disk()));
    } else {
      store_ = std::make_unique<objects::DirectoryStore>(objects::LocalOptions{.root = root},
                                                         runtime_.disk());
      (void)wait(store_->create_bucket(bucket_));
    }
    services_ = std::make_unique<Services>(*store_, runtime_.work(), system_clock(),
                                           [this] { return engine_->connect(); });
  }
  ~Sample() {
    auto directory = fmt::format("{}/lake-sample-{}", temporary_, ::getpid());
    (void)io::posix_files().remove_tree(directory);
  }

  static std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  }
  Location place(const std::string& name) const { return {bucket_, folder_ + name}; }

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
    return need(wait(Table::open_or_create(*services_, place(name), std::move(schema))));
  }
  void put(Table& table, WriteMode mode, const std::string& select, CommitFacts facts = {}) {
    EncodeOptions options;
    Schema schema = table.snapshot()->schema();
    options.table = &schema;
    Encoded data = need(encode(*connection_, select, store_->new_temporary(), options));
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
    print(name, *table.snapshot(), rows);
  }
  void print(const std::string& name, const Snapshot& snapshot, const std::string& rows) {
    std::string line;
    codec::JsonWriter out(line);
    out.begin_object().field("table", name).field("version", snapshot.version());
    out.field("schema", snapshot.metadata().schema_string).key("txns").begin_object();
    for (const auto& [app_id, txn] : snapshot.txns()) out.field(app_id, txn.version);
    out.end_object().key("rows").raw(rows).end_object();
    std::printf("%s\n\n", line.c_str());
  }

  void write_all();
  void write_every_type();
  void read(const std::string& name, Moment moment);
  void change(const std::string& verb, const std::string& name, int version);
  void race(const std::string& name, const std::string& app_id, int count);
  [[noreturn]] void churn(const std::string& name, const std::string& app_id);
  void tally(const std::string& name);
  void vacuum_now(const std::string& name);
  void credentials();

 private:
  io::Runtime runtime_{{.loops = 1, .disk_threads = 2, .work_threads = 1}};
  std::string temporary_;
  std::string bucket_ = "lake";
  std::string folder_;
  std::unique_ptr<objects::Store> store_;
  std::unique_ptr<sql::Engine> engine_;
  std::unique_ptr<Services> services_;
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

void Sample::read(const std::string& name, Moment moment) {
  Location location = place(name);
  auto snapshot = need(wait(snapshot_at(*services_, location, moment)));
  Scan rows = need(wait(scan(*services_, location, snapshot)));
  // JSON has no bytes.
  std::string select = rows.select;
  for (const Field& field : snapshot->schema().fields) {
    if (field.type.kind != Kind::binary) continue;
    std::string column = sql::quoted_name(field.name);
    select = fmt::format("SELECT * REPLACE (hex({0}) AS {0}) FROM ({1})", column, select);
  }
  print(name, *snapshot, rows_of(select));
}

void Sample::change(const std::string& verb, const std::string& name, int version) {
  auto table = need(wait(Table::open(*services_, place(name))));
  if (verb == "optimize") {
    need(wait(optimize(*table)));
  } else if (verb == "checkpoint") {
    need(wait(table->checkpoint()));
  } else if (verb == "restore") {
    need(wait(restore(*table, version)));
  } else {
    CommitFacts facts;
    facts.schema_change = SchemaChange::add_columns;
    put(*table, WriteMode::append, "SELECT -5::BIGINT AS n, 'wider' AS text, 1.5::DOUBLE AS added",
        facts);
  }
  read(name, {});
}

void Sample::race(const std::string& name, const std::string& app_id, int count) {
  auto table = need(wait(Table::open(*services_, place(name))));
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

// Losing a race is part of it; anything else that goes wrong shows in the tally.
void Sample::churn(const std::string& name, const std::string& app_id) {
  constexpr int rows = 10;
  Schema schema = need(schema_of(*connection_, "SELECT 1::BIGINT AS n, 'x' AS text"));
  auto table = need(wait(Table::open_or_create(*services_, place(name), schema)));
  for (int turn = 1;; ++turn) {
    auto snapshot = need(wait(table->refresh()));
    int64_t done = snapshot->txn_version(app_id).value_or(-1);
    CommitFacts facts;
    facts.txns.push_back({.app_id = app_id, .version = done + 1, .expected = done});
    EncodeOptions options;
    options.table = &snapshot->schema();
    int64_t first = (done + 1) * rows;
    Encoded data = need(encode(*connection_,
                               fmt::format("SELECT i AS n, '{}' AS text FROM range({}, {}) AS r(i)",
                                           app_id, first, first + rows),
                               store_->new_temporary(), options));
    (void)wait(table->write(WriteMode::append, std::move(data), std::move(facts)));
    if (turn % 7 == 0) (void)wait(optimize(*table));
    if (turn % 5 == 0) (void)wait(table->checkpoint());
    if (turn % 9 == 0) {
      (void)wait(vacuum(*table, {.retention_ms = 0, .allow_short_retention = true}));
    }
  }
}

void Sample::tally(const std::string& name) {
  Location location = place(name);
  auto snapshot = need(wait(snapshot_at(*services_, location)));
  Scan rows = need(wait(scan(*services_, location, snapshot)));
  print(name, *snapshot,
        rows_of(fmt::format("SELECT text, count(*) AS rows, count(DISTINCT n) AS numbers, "
                            "max(n) AS last FROM ({}) GROUP BY text",
                            rows.select)));
}

void Sample::vacuum_now(const std::string& name) {
  auto table = need(wait(Table::open(*services_, place(name))));
  VacuumOutcome gone =
      need(wait(vacuum(*table, {.retention_ms = 0, .allow_short_retention = true})));
  std::string line;
  codec::JsonWriter out(line);
  out.begin_array();
  for (const std::string& file : gone.files) out.value(file);
  out.end_array();
  std::printf("%s\n\n", line.c_str());
}

void Sample::credentials() {
  std::vector<auth::Credential> keys(2);
  for (size_t i = 0; i < keys.size(); ++i) {
    keys[i].principal.name = "databricks-user";
    keys[i].access_key = fmt::format("AKIA{}", i);
    keys[i].secret = fmt::format("se/cr+et={}", i);
  }
  Location table = place("authentication_credentials");
  need(wait(write_credentials(*services_, table, keys)));
  for (const auth::Credential& key : need(wait(read_credentials(*services_, table)))) {
    std::string line;
    codec::JsonWriter out(line);
    out.begin_object().field("User name", key.principal.name);
    out.field("Access key ID", key.access_key).field("Secret access key", key.secret).end_object();
    std::printf("%s\n\n", line.c_str());
  }
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
  } else if (verb == "read" && (argc == 4 || argc == 5)) {
    pinpipe::lake::Moment moment;
    if (argc == 5) moment.version = pinpipe::lake::number_of(argv[4]);
    pinpipe::lake::Sample(argv[2]).read(argv[3], moment);
  } else if ((verb == "optimize" || verb == "checkpoint" || verb == "add_column") && argc == 4) {
    pinpipe::lake::Sample(argv[2]).change(argv[1], argv[3], 0);
  } else if (verb == "restore" && argc == 5) {
    pinpipe::lake::Sample(argv[2]).change(argv[1], argv[3], pinpipe::lake::number_of(argv[4]));
  } else if (verb == "churn" && argc == 5) {
    pinpipe::lake::Sample(argv[2]).churn(argv[3], argv[4]);
  } else if (verb == "vacuum" && argc == 4) {
    pinpipe::lake::Sample(argv[2]).vacuum_now(argv[3]);
  } else if (verb == "credentials" && argc == 3) {
    pinpipe::lake::Sample(argv[2]).credentials();
  } else if (verb == "tally" && argc == 4) {
    pinpipe::lake::Sample(argv[2]).tally(argv[3]);
  } else if (verb == "race" && argc == 6) {
    pinpipe::lake::Sample(argv[2]).race(argv[3], argv[4], pinpipe::lake::number_of(argv[5]));
  } else {
    std::fprintf(
        stderr,
        "usage: lake_sample write ROOT | read ROOT TABLE [N] | race ROOT TABLE APP N |\n"
        "       optimize|checkpoint|add_column|tally|vacuum ROOT TABLE | restore ROOT TABLE N |\n"
        "       churn ROOT TABLE APP | credentials ROOT\n");
    return 2;
  }
  return 0;
}
