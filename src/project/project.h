// A project as plain structs: what a directory of YAML and SQL files says, read and checked.
// Promise: what load() hands out is complete and consistent: names are legal, files are there,
// every reference to another thing of the project leads somewhere, references $(…) are replaced.
// Nothing here knows what a topic or a run is; the rooms above take what concerns them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "columns/schema.h"
#include "project/diagnostic.h"

namespace pinpipe::project {

struct SqlFile {
  std::string path;  // "sql/clean/pin.sql"
  std::string name;  // as messages call it: with the project's directory
  std::string text;  // whole, comment block included
};

enum class Severity { error, warn };

// A promise about data, examined after cleaning (or after loading, for raw ones).
struct Check {
  enum class Kind { not_null, unique, accepted_range, row_count, relationships };
  Kind kind = Kind::not_null;
  std::vector<std::string> columns;  // one for accepted_range and relationships
  std::optional<double> least;       // accepted_range, row_count
  std::optional<double> most;
  std::string to_table;  // relationships: "clean.pin" and its column
  std::string to_column;
  Severity severity = Severity::error;
  Position at;
};

struct Tables {
  std::string batch;   // written by the batch job alone
  std::string stream;  // written by the stream job alone
};

// How the stream job follows a data set's input.
struct StreamJobSettings {
  enum class Input { stream, topic };
  enum class Trigger {
    continuous,     // until it is stopped
    available_now,  // all that is there when it starts, in batches
    once,           // one batch
  };
  enum class Start { earliest, latest, timestamp };
  static constexpr int64_t interval_ms_min = 100;

  Input input = Input::stream;
  Trigger trigger = Trigger::continuous;
  int64_t interval_ms = 1000;     // at most one commit in this time, unless a batch is full
  Start start = Start::earliest;  // of a table that has read nothing yet
  int64_t start_ms = 0;           // of Start::timestamp
  int64_t batch_rows = 100'000;   // a batch is full beyond either; it may exceed them by one fetch
  int64_t batch_bytes = 16 << 20;
  bool skip_lost = false;  // go on when records were removed before they were read
  // How long files that were compacted stay for readers of former versions.
  int64_t history_ms = 3'600'000;
};
std::string_view name_of(StreamJobSettings::Trigger trigger);
std::optional<StreamJobSettings::Trigger> stream_trigger_named(std::string_view name);

struct StreamStart {
  StreamJobSettings::Start start = StreamJobSettings::Start::earliest;
  int64_t start_ms = 0;
};
// "earliest", "latest" or a time such as 2026-01-02T10:15:00Z; nothing: it is none of these.
std::optional<StreamStart> stream_start_of(std::string_view text);

// "topics/<topic>/" of a bucket.
struct ObjectFolder {
  std::string bucket = {};
  std::string prefix = {};
};

struct Dataset {
  std::string name;          // "pin": raw.pin, clean.pin
  std::string topic;         // may be empty when there is a stream
  std::string stream;        // may be empty when there is a topic
  std::string source_table;  // in the source database; may be empty
  ObjectFolder objects;      // no bucket: where the topic's connector puts them
  columns::Schema schema;
  SqlFile clean;       // from raw rows to clean ones
  SqlFile quarantine;  // the raw rows that `clean` leaves out as unusable; may be empty
  Tables tables;
  StreamJobSettings stream_job;
  std::vector<Check> raw_checks;
  std::vector<Check> clean_checks;
  Position at;
};

// How an answer is drawn beside its table.
struct Chart {
  std::string type;  // bar, line, heat, number, table
  std::string x;
  std::string y;
  std::string value;
  std::string series;
};

struct Query {
  std::string name;  // "q1"
  std::string title;
  std::string question;
  std::string defaults;  // printed with the answer: which reading of the question this is
  SqlFile sql;
  Chart chart;
  std::vector<std::string> columns;   // expected names of the answer; empty: whatever comes
  std::string answers_from = "both";  // batch, stream or both
};

// A small table the project brings itself, as a SELECT: age bands, for example.
struct ProjectTable {
  std::string name;
  SqlFile sql;
};

enum class TriggerRule {
  all_success,
  all_failed,
  all_done,
  all_skipped,
  one_success,
  one_failed,
  one_done,
  none_failed,
  none_skipped,
  none_failed_min_one_success,
  always,
};
std::string_view name_of(TriggerRule rule);
std::optional<TriggerRule> trigger_rule_named(std::string_view name);

using Params = std::map<std::string, std::string>;

struct TaskSpec {
  std::string id;
  std::string job;
  std::vector<std::string> after;
  TriggerRule trigger_rule = TriggerRule::all_success;
  int retries = 0;
  int64_t retry_delay_ms = 300'000;
  bool exponential_backoff = false;
  int64_t retry_delay_max_ms = 86'400'000;
  int64_t execution_timeout_ms = 0;  // 0: none
  std::string pool;                  // empty: the default one
  int pool_slots = 1;
  Params params;
  std::string note;  // what a try's log says first; may be empty
};

// Who is told of what happens to a DAG's runs.
struct Notice {
  std::vector<std::string> on;  // of success, failure, deadline
  std::string webhook;          // a URL that a JSON object is posted to; or
  std::string command;          // a shell command that gets it on its standard input
};

struct DagSpec {
  static constexpr int tasks_max = 10'000;

  std::string id;
  std::string description;
  std::string schedule;  // cron, preset, or empty: by hand only
  Position schedule_at;
  std::string timezone = "UTC";
  Position timezone_at;
  std::string start_date;  // "2026-01-01" or "2026-01-01T06:00:00", in `timezone`; may be empty
  bool catchup = false;
  int max_active_runs = 16;
  int max_active_tasks = 16;
  int64_t run_timeout_ms = 0;  // 0: none
  // A run's logical date is the moment it is due (Airflow 3), or the one before (Airflow 2: the
  // beginning of the interval that ends when it is due).
  bool interval_dates = false;
  int64_t deadline_ms = 0;  // 0: none; after that `notify` is told that the run has not ended
  bool deadline_from_logical_date = false;  // otherwise from when it was queued
  int64_t history_ms = 365LL * 86'400'000;  // how long ended runs are kept; 0: for ever
  std::vector<Notice> notify;
  std::vector<std::string> tags;
  Params params;
  std::vector<TaskSpec> tasks;  // as written
  std::string file;             // where it was defined
};

// One value of a test's row.
struct TestCell {
  bool is_null = false;
  bool is_text = false;  // stood in quotes: text whatever it looks like
  std::string text;
};
using TestRow = std::vector<std::pair<std::string, TestCell>>;  // by column

// What SQL of the project is expected to make of given rows.
struct TestSpec {
  std::string name;
  std::string run;  // "clean.pin", "quarantine.pin", or a question
  std::vector<std::pair<std::string, std::vector<TestRow>>> given;  // by table
  std::vector<TestRow> expect;  // the columns that are named; clean rows in any order
  Position at;
  Position run_at;
  std::vector<Position> given_at;
};

// 0: pick a free one.
struct Ports {
  uint16_t kafka = 9092;
  uint16_t gateway = 8082;
  uint16_t connect = 8083;
  uint16_t aws = 4566;
  uint16_t console = 4580;
  uint16_t mysql = 3307;
};

enum class Fsync { always, interval, os };

struct TopicSettings {
  int partitions = 1;
  int64_t retention_ms = 604'800'000;  // -1: for ever
  int64_t retention_bytes = -1;
  Fsync fsync = Fsync::always;
};

struct StreamSettings {
  int shards = 1;
  int retention_hours = 24;
};

struct BrokerSettings {
  bool auto_create_topics = true;
  int64_t fsync_interval_ms = 1000;
  TopicSettings topic_defaults;
  std::map<std::string, TopicSettings> topics;
  StreamSettings stream_defaults;
  std::map<std::string, StreamSettings> streams;
};

// A connector under Kafka Connect's own keys.
struct Connector {
  std::string name;
  std::map<std::string, std::string> config;
};

// Where buckets and tables are: below the data directory, or in an S3 service elsewhere.
struct ObjectSettings {
  // Of buckets on this machine; Fsync::os leaves to the system when what was acknowledged is
  // written.
  Fsync fsync = Fsync::always;
  bool is_remote = false;
  std::string endpoint = {};  // "http://host:port"; empty: Amazon's of the region
  std::string region = {};    // empty: the account's
  bool path_style = true;     // endpoint/bucket/key instead of bucket.endpoint/key
  std::string ca_file = {};
  // What the access key is looked for in: this file or table, else the environment, else this
  // profile.
  std::string credentials = {};
  std::string profile = {};
};

struct Mount {
  std::string path;         // "/mnt/pinterest"
  std::string bucket;       // "user-…-bucket"
  std::string prefix = {};  // of the keys that are seen; may be empty
};

// Which job stands in for a notebook whose path matches the pattern (* = any run of characters).
struct Notebook {
  std::string pattern;
  std::string job;
};

struct Limits {
  int64_t sql_memory_bytes = 640'000'000;
  int64_t sql_disk_bytes = 20'000'000'000;
  int sql_threads = 0;  // 0: one per core
  int64_t request_bytes = 64LL << 20;
  int connections = 20'000;
  bool aws_streams = false;  // streams refuse what goes beyond AWS's rates
};

struct Account {
  std::string id = "123456789012";
  std::string region = "us-east-1";
};

// API Gateway's usage plan.
struct GatewaySettings {
  bool strict = false;                // real status codes instead of the mapping templates' own
  std::vector<std::string> stages;    // none: any
  std::vector<std::string> api_keys;  // none: not asked for
  double requests_per_second = 0;     // 0: not limited
  double burst = 0;
};

// Who may use the AWS door: anybody on this machine, or who signs with one of these keys.
struct AccessSettings {
  bool required = false;
  std::map<std::string, std::string> secrets;  // by access key
};

// A door's second listener, for other machines.
struct Listener {
  std::string address;  // "0.0.0.0", "::", "10.0.0.5"
  uint16_t port = 0;
};

// Every door listens on this machine's loopback, in plain text. For other machines it gets a
// listener of its own, with TLS and only if it asks who comes; unless the project says that it is
// to stand unprotected.
struct ListenSettings {
  std::map<std::string, Listener> doors;  // kafka, gateway, connect, aws, console, mysql
  std::vector<std::string> hosts;         // the names and addresses that others reach us by
  std::vector<std::string> unprotected;   // doors without TLS, open to everybody who reaches them
  std::string certificate_file;           // PEM; both or none
  std::string key_file;

  bool is_unprotected(std::string_view door) const;
};

struct Project {
  std::string name;
  std::string origin;  // the directory, or "(built in)"
  std::map<std::string, std::string> variables;
  Account account;
  Ports ports;
  BrokerSettings broker;
  Limits limits;
  GatewaySettings gateway;
  AccessSettings access;
  ListenSettings listen;
  ObjectSettings objects;
  std::vector<std::string> buckets;
  std::vector<Connector> connectors;
  std::vector<Mount> mounts;
  std::vector<Notebook> notebooks;
  std::string source;  // where posts' rows come from, as a DSN; empty: the embedded database
  std::map<std::string, int> pools;  // how many tasks may run in it at once
  StreamJobSettings stream_job;      // of data sets that say nothing themselves
  // When set, all data sets come from this one stream, told apart by the end of their records' key:
  // "<id>.pin", "<id>_pin" and "pin" are the data set pin's.
  std::string shared_stream;
  std::vector<Dataset> datasets;
  std::vector<ProjectTable> tables;
  std::vector<Query> queries;
  std::vector<DagSpec> dags;
  std::vector<TestSpec> tests;

  const Dataset* find_dataset(std::string_view dataset) const;
  // The topic or stream that the stream job reads for it; empty: it follows nothing for it.
  std::string stream_input(const Dataset& dataset) const;
  const Query* find_query(std::string_view query) const;
  const DagSpec* find_dag(std::string_view id) const;
};

}  // namespace pinpipe::project
