#include "project/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kit/temporary_directory.h"
#include "project/embedded.h"

namespace pinpipe::project {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const char* const settings = R"(version: 1
project: shop
vars: { id: ab12 }
ports: { kafka: auto, aws: 4567 }
broker: { partitions: 2, fsync: interval }
topics: { $(id).order: { partitions: 4 } }
buckets: [user-$(id)-bucket]
connectors:
  $(id)-connector: { connector.class: Sink, topics.regex: $(id).*, tasks.max: 3 }
mounts: { /mnt/shop: user-$(id)-bucket }
notebooks: { /Users/*/shop*: batch }
sql: { memory: 1GB }
tables: { bands: sql/tables/bands.sql }
)";

const char* const order = R"(dataset: order
topic: $(id).order
stream: streaming-$(id)-order
source_table: orders
columns:
  index: integer
  note: { type: text, synonyms: [remark] }
  at: timestamp
clean: sql/clean/order.sql
tables: { batch: $(id)_order_clean, stream: $(id)_order_table }
checks:
  raw: [{ not_null: [index, note] }]
  clean:
    - { unique: ind }
    - { accepted_range: { column: ind, min: 0 }, severity: warn }
    - { row_count: { min: 1 } }
    - { relationships: { column: ind, to: clean.order } }
)";

const char* const daily = R"(dag: $(id)_dag
schedule: "@daily"
timezone: Europe/Berlin
start_date: 2026-01-01
defaults: { retries: 2, retry_delay_secs: 1.5 }
tasks:
  load: { job: load }
  clean: { job: clean, after: load, retries: 0, execution_timeout_secs: 900 }
  ask: { job: ask, after: [load, clean], trigger_rule: all_done, params: { which: q1 } }
)";

const char* const q1 = R"(-- title: Orders per day
-- question: How many orders came in
--   on each day?
-- chart: { type: bar, x: day, y: n }
-- columns: [day, n]
-- answers_from: batch
-- A note: this is prose.
select 1
)";

FileSet shop() {
  FileSet files;
  files.texts["pinpipe.yaml"] = settings;
  files.texts["datasets/order.yaml"] = order;
  files.texts["dags/daily.yaml"] = daily;
  files.texts["sql/clean/order.sql"] = "select * from raw.order";
  files.texts["sql/tables/bands.sql"] = "select 1";
  files.texts["sql/queries/q1.sql"] = q1;
  files.texts["sql/queries/q10.sql"] = "select 10";
  files.texts["sql/queries/q2.sql"] = "select 2";
  return files;
}

std::string report_of(const FileSet& files) {
  Loaded loaded = load(files, {});
  EXPECT_EQ(loaded.project.has_value(), loaded.diagnostics.empty());
  std::string text;
  for (const Diagnostic& d : loaded.diagnostics) {
    text += one_line(d) + (d.hint.empty() ? "" : " | " + d.hint) + "\n";
  }
  return text;
}

// The report after replacing `from` by `to` in one file of the shop.
std::string report_after(const std::string& path, const std::string& from, const std::string& to) {
  FileSet files = shop();
  std::string& text = files.texts[path];
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  text.replace(at, from.size(), to);
  return report_of(files);
}

TEST(Load, reads_settings) {
  Loaded loaded = load(shop(), {});
  ASSERT_TRUE(loaded.project) << render(loaded.diagnostics);
  const Project& p = *loaded.project;
  EXPECT_EQ(p.name, "shop");
  EXPECT_EQ(p.variables.at("id"), "ab12");
  EXPECT_EQ(p.ports.kafka, 0);
  EXPECT_EQ(p.ports.aws, 4567);
  EXPECT_EQ(p.ports.mysql, 3307);
  EXPECT_EQ(p.broker.topic_defaults.fsync, Fsync::interval);
  EXPECT_EQ(p.broker.topics.at("ab12.order").partitions, 4);
  EXPECT_EQ(p.broker.topics.at("ab12.order").fsync, Fsync::interval);
  EXPECT_THAT(p.buckets, ElementsAre("user-ab12-bucket"));
  ASSERT_EQ(p.connectors.size(), 1u);
  EXPECT_EQ(p.connectors[0].name, "ab12-connector");
  EXPECT_EQ(p.connectors[0].config.at("topics.regex"), "ab12.*");
  EXPECT_EQ(p.connectors[0].config.at("tasks.max"), "3");
  EXPECT_EQ(p.mounts.at(0).bucket, "user-ab12-bucket");
  EXPECT_EQ(p.notebooks.at(0).job, "batch");
  EXPECT_EQ(p.limits.sql_memory_bytes, 1'000'000'000);
  EXPECT_EQ(p.tables.at(0).sql.text, "select 1");
}

TEST(Load, a_data_set_s_objects_are_named_as_notebooks_name_them) {
  for (const char* path :
       {"s3://user-ab12-bucket/topics/o/", "s3a://user-$(id)-bucket/topics/o/*",
        "/mnt/shop/topics/o", "s3n://KEY:SECRET@user-ab12-bucket/topics/o/*.json",
        "dbfs:/mnt/shop/topics/o/*.json", "/dbfs/mnt/shop//topics/o/"}) {
    FileSet files = shop();
    files.texts["datasets/order.yaml"] += std::string("objects: \"") + path + "\"\n";
    Loaded loaded = load(files, {});
    ASSERT_TRUE(loaded.project) << path << render(loaded.diagnostics);
    EXPECT_EQ(loaded.project->datasets.at(0).objects.bucket, "user-ab12-bucket") << path;
    EXPECT_EQ(loaded.project->datasets.at(0).objects.prefix, "topics/o/") << path;
  }
  for (auto [path, why] : {std::pair("/tmp/o", "objects are in a bucket"),
                           std::pair("dbfs:/other/o", "there is /mnt/shop"),
                           std::pair("/mnt/shop/../o", "'..' would lead out of the mount"),
                           std::pair("/mnt/shop/*/o.json", "the pattern can only be its end")}) {
    FileSet files = shop();
    files.texts["datasets/order.yaml"] += std::string("objects: \"") + path + "\"\n";
    Loaded loaded = load(files, {});
    EXPECT_FALSE(loaded.project) << path;
    EXPECT_THAT(render(loaded.diagnostics), HasSubstr(why));
  }
}

TEST(Load, streams_have_awss_limits_where_they_are_asked_for) {
  EXPECT_FALSE(load(shop(), {}).project->limits.aws_streams);
  for (const char* line : {"limits: aws\n", "limits: { streams: aws, connections: 10 }\n"}) {
    FileSet files = shop();
    files.texts["pinpipe.yaml"] += line;
    Loaded loaded = load(files, {});
    ASSERT_TRUE(loaded.project) << render(loaded.diagnostics);
    EXPECT_TRUE(loaded.project->limits.aws_streams);
  }
}

TEST(Load, reads_who_is_told_of_runs_and_where_tasks_find_room) {
  FileSet files = shop();
  files.texts["pinpipe.yaml"] += "pools: { slow: 2 }\n";
  files.texts["dags/told.yaml"] =
      "dag: told\n"
      "cron_semantics: interval\n"
      "history_days: 7\n"
      "deadline: { from: logical_date, within_secs: 90 }\n"
      "notify:\n"
      "  - { on: [failure, deadline], webhook: \"http://localhost:9/x\" }\n"
      "  - { command: \"cat >> told.log\" }\n"
      "tasks:\n"
      "  a: { job: batch, pool: slow, pool_slots: 2 }\n";
  Loaded loaded = load(files, {});
  ASSERT_TRUE(loaded.project) << render(loaded.diagnostics);
  EXPECT_EQ(loaded.project->pools.at("slow"), 2);
  const DagSpec& dag = *loaded.project->find_dag("told");
  EXPECT_TRUE(dag.interval_dates);
  EXPECT_EQ(dag.history_ms, 7 * 86'400'000);
  EXPECT_EQ(dag.deadline_ms, 90'000);
  EXPECT_TRUE(dag.deadline_from_logical_date);
  ASSERT_EQ(dag.notify.size(), 2u);
  EXPECT_THAT(dag.notify[0].on, ElementsAre("failure", "deadline"));
  EXPECT_THAT(dag.notify[1].on, ElementsAre("failure"));
  EXPECT_EQ(dag.tasks[0].pool, "slow");
  EXPECT_EQ(dag.tasks[0].pool_slots, 2);
  files.texts["dags/told.yaml"] =
      "dag: told\nnotify:\n  - { on: failures, webhook: a, command: b }\ntasks:\n  a: batch\n";
  std::string report = report_of(files);
  EXPECT_THAT(report, HasSubstr("\"failures\" is nothing to be told of"));
  EXPECT_THAT(report, HasSubstr("either a webhook or a command"));
}

TEST(Load, reads_a_data_set) {
  Project p = *load(shop(), {}).project;
  const Dataset* d = p.find_dataset("order");
  ASSERT_NE(d, nullptr);
  EXPECT_EQ(d->topic, "ab12.order");
  EXPECT_EQ(d->stream, "streaming-ab12-order");
  EXPECT_EQ(d->source_table, "orders");
  ASSERT_EQ(d->schema.size(), 3u);
  EXPECT_EQ(d->schema.find("remark"), 1u);
  EXPECT_EQ(d->clean.text, "select * from raw.order");
  EXPECT_EQ(d->tables.batch, "ab12_order_clean");
  ASSERT_EQ(d->raw_checks.size(), 1u);
  EXPECT_THAT(d->raw_checks[0].columns, ElementsAre("index", "note"));
  ASSERT_EQ(d->clean_checks.size(), 4u);
  EXPECT_EQ(d->clean_checks[0].kind, Check::Kind::unique);
  EXPECT_EQ(d->clean_checks[1].severity, Severity::warn);
  EXPECT_EQ(d->clean_checks[1].least, 0);
  EXPECT_FALSE(d->clean_checks[1].most);
  EXPECT_EQ(d->clean_checks[3].to_column, "ind");
  EXPECT_EQ(p.find_dataset("orders"), nullptr);
}

TEST(Load, reads_a_dag) {
  Project p = *load(shop(), {}).project;
  const DagSpec* d = p.find_dag("ab12_dag");
  ASSERT_NE(d, nullptr);
  EXPECT_EQ(d->schedule, "@daily");
  EXPECT_EQ(d->timezone, "Europe/Berlin");
  ASSERT_EQ(d->tasks.size(), 3u);
  EXPECT_EQ(d->tasks[0].retries, 2);
  EXPECT_EQ(d->tasks[0].retry_delay_ms, 1500);
  EXPECT_EQ(d->tasks[1].retries, 0);
  EXPECT_EQ(d->tasks[1].execution_timeout_ms, 900'000);
  EXPECT_THAT(d->tasks[2].after, ElementsAre("load", "clean"));
  EXPECT_EQ(d->tasks[2].trigger_rule, TriggerRule::all_done);
  EXPECT_EQ(d->tasks[2].params.at("which"), "q1");
}

TEST(Load, reads_the_comment_block_of_a_query) {
  Project p = *load(shop(), {}).project;
  ASSERT_EQ(p.queries.size(), 3u);
  const Query& q = p.queries[0];
  EXPECT_EQ(q.name, "q1");
  EXPECT_EQ(q.title, "Orders per day");
  EXPECT_EQ(q.question, "How many orders came in on each day?");
  EXPECT_EQ(q.chart.type, "bar");
  EXPECT_EQ(q.chart.y, "n");
  EXPECT_THAT(q.columns, ElementsAre("day", "n"));
  EXPECT_EQ(q.answers_from, "batch");
  EXPECT_EQ(p.queries[1].name, "q2");
  EXPECT_EQ(p.queries[2].name, "q10");
  EXPECT_EQ(p.queries[1].title, "q2");
}

TEST(Load, variables_given_by_the_caller_win) {
  LoadOptions options;
  options.variables["id"] = "zz";
  EXPECT_EQ(load(shop(), options).project->datasets[0].topic, "zz.order");
}

TEST(Load, refuses_unknown_keys_with_place_and_nearest) {
  EXPECT_EQ(report_after("datasets/order.yaml", "columns:", "colums:"),
            "datasets/order.yaml:1:1: a data set needs the key columns\n"
            "datasets/order.yaml:5:1: a data set has no key \"colums\" | "
            "did you mean \"columns\"?\n");
  EXPECT_EQ(report_after("pinpipe.yaml", "aws: 4567", "kafak: 1"),
            "pinpipe.yaml:4:23: ports has no key \"kafak\" | did you mean \"kafka\"?\n");
}

TEST(Load, refuses_wrong_types) {
  EXPECT_EQ(report_after("dags/daily.yaml", "start_date: 2026-01-01", "catchup: no"),
            "dags/daily.yaml:4:10: catchup wants true or false, not \"no\"\n");
  EXPECT_EQ(report_after("pinpipe.yaml", "partitions: 2", "partitions: two"),
            "pinpipe.yaml:5:23: partitions wants a whole number, not \"two\"\n");
  EXPECT_EQ(report_after("pinpipe.yaml", "partitions: 2", "partitions: \"2\""),
            "pinpipe.yaml:5:23: partitions wants a whole number, not the text \"2\"\n");
  EXPECT_EQ(report_after("pinpipe.yaml", "partitions: 2", "partitions: 0"),
            "pinpipe.yaml:5:23: partitions is between 1 and 1000, not 0\n");
  EXPECT_EQ(report_after("datasets/order.yaml", "index: integer", "index: intger"),
            "datasets/order.yaml:6:10: \"intger\" is no type; there are integer, bigint, double, "
            "text, boolean, timestamp | did you mean \"integer\"?\n");
  EXPECT_THAT(report_after("dags/daily.yaml", "2026-01-01", "24-07-29"),
              HasSubstr("start_date is a day such as 2026-01-01"));
}

TEST(Load, a_text_may_look_like_anything) {
  EXPECT_EQ(report_after("pinpipe.yaml", "project: shop", "project: no"), "");
  EXPECT_EQ(report_after("pinpipe.yaml", "id: ab12", "id: 0123"), "");
}

TEST(Load, says_how_streams_are_followed_for_all_data_sets_and_for_one) {
  using Settings = StreamJobSettings;
  FileSet files = shop();
  files.texts["pinpipe.yaml"] +=
      "stream_job: { interval: 0.1, start: 2026-01-02T10:15:00Z, batch_rows: 5000, batch_bytes: "
      "4MB }\nshared_stream: Kinesis-Prod-Stream\n";
  files.texts["datasets/order.yaml"] +=
      "stream_job: { input: topic, trigger: available-now, start: latest, lost_records: skip, "
      "history: 86400 }\n";
  Loaded loaded = load(files, {});
  ASSERT_TRUE(loaded.project) << render(loaded.diagnostics);
  const Settings& all = loaded.project->stream_job;
  EXPECT_EQ(all.interval_ms, 100);
  EXPECT_EQ(all.start, Settings::Start::timestamp);
  EXPECT_EQ(all.start_ms, 1'767'348'900'000);
  EXPECT_EQ(all.trigger, Settings::Trigger::continuous);
  const Dataset& dataset = loaded.project->datasets[0];
  EXPECT_EQ(dataset.stream_job.trigger, Settings::Trigger::available_now);
  EXPECT_EQ(dataset.stream_job.start, Settings::Start::latest);
  EXPECT_EQ(dataset.stream_job.interval_ms, 100);
  EXPECT_EQ(dataset.stream_job.batch_rows, 5000);
  EXPECT_EQ(dataset.stream_job.batch_bytes, 4'000'000);
  EXPECT_EQ(dataset.stream_job.history_ms, 86'400'000);
  EXPECT_TRUE(dataset.stream_job.skip_lost);
  EXPECT_EQ(loaded.project->stream_input(dataset), "ab12.order");
  loaded.project->datasets[0].stream_job.input = Settings::Input::stream;
  EXPECT_EQ(loaded.project->stream_input(dataset), "Kinesis-Prod-Stream");
}

TEST(Load, refuses_ways_of_following_that_there_are_not) {
  auto report = [](const std::string& settings) {
    FileSet files = shop();
    files.texts["datasets/order.yaml"] += "stream_job: { " + settings + " }\n";
    return report_of(files);
  };
  EXPECT_EQ(report("trigger: avalable-now"),
            "datasets/order.yaml:18:24: trigger is one of continuous, available-now, once, not "
            "\"avalable-now\" | did you mean \"available-now\"?\n");
  EXPECT_EQ(report("interval: 0.05"),
            "datasets/order.yaml:18:25: interval is between 0.1 and 3600 seconds\n");
  EXPECT_EQ(report("start: yesterday"),
            "datasets/order.yaml:18:22: start is earliest, latest or a time such as "
            "2026-01-02T10:15:00Z, not \"yesterday\"\n");
  EXPECT_THAT(report("batch_rows: 0"), HasSubstr("batch_rows is between 1 and 1000000, not 0"));
  EXPECT_THAT(report("triger: once"), HasSubstr("did you mean \"trigger\"?"));
  EXPECT_EQ(
      report_after("datasets/order.yaml", "topic: $(id).order", "stream_job: { input: topic }"),
      "datasets/order.yaml:2:13: the stream job is to read the data set's topic, and it has "
      "none\n");
}

TEST(Load, refuses_illegal_and_repeated_names) {
  EXPECT_THAT(report_after("pinpipe.yaml", "[user-$(id)-bucket]", "[User_Bucket]"),
              HasSubstr("pinpipe.yaml:7:11: \"User_Bucket\" is no name for a bucket"));
  FileSet twice = shop();
  twice.texts["datasets/other.yaml"] = order;
  std::string report = report_of(twice);
  EXPECT_THAT(report, HasSubstr("datasets/other.yaml:1:10: the name order belongs to data set"));
  EXPECT_THAT(report, HasSubstr("table ab12_order_clean belongs to data set order already"));
  EXPECT_THAT(report_after("datasets/order.yaml", "_order_table", "_order_clean"),
              HasSubstr("they cannot share one"));
  EXPECT_THAT(report_after("pinpipe.yaml", "kafka: auto", "kafka: 4567"),
              HasSubstr("pinpipe.yaml:4:28: port 4567 is kafka's already"));
}

TEST(Load, refuses_dags_that_cannot_run) {
  EXPECT_EQ(report_after("dags/daily.yaml", "after: [load, clean]", "after: [load, claen]"),
            "dags/daily.yaml:9:34: task ask comes after claen, which is no task | "
            "did you mean \"clean\"?\n");
  EXPECT_THAT(
      report_after("dags/daily.yaml", "load: { job: load }", "load: { job: load, after: ask }"),
      HasSubstr("wait for each other in a circle: load, clean, ask"));
  EXPECT_THAT(report_after("dags/daily.yaml", "all_done", "all_doen"),
              HasSubstr("is no trigger rule | did you mean \"all_done\"?"));
}

TEST(Load, names_missing_files_and_files_that_nothing_reads) {
  EXPECT_EQ(report_after("datasets/order.yaml", "clean/order.sql", "clean/oder.sql"),
            "datasets/order.yaml:9:8: the project has no file sql/clean/oder.sql | "
            "did you mean \"sql/clean/order.sql\"?\n");
  FileSet files = shop();
  files.texts["dataset/x.yaml"] = "dataset: x";
  EXPECT_EQ(report_of(files),
            "dataset/x.yaml: nothing reads this file | did you mean "
            "\"datasets\"?\n");
  files = shop();
  files.texts.erase("pinpipe.yaml");
  EXPECT_THAT(report_of(files), HasSubstr("no file pinpipe.yaml"));
}

TEST(Load, reports_all_problems_at_once_in_order) {
  FileSet files = shop();
  files.texts["datasets/order.yaml"] += "extra: 1\n";
  files.texts["dags/daily.yaml"] += "  bad: { jb: x }\n";
  files.texts["sql/queries/q2.sql"] = "-- titel: x\nselect 2";
  files.texts["dags/broken.yaml"] = "a: [";
  std::string report = report_of(files);
  EXPECT_THAT(report, HasSubstr("dags/broken.yaml:"));
  EXPECT_THAT(report, HasSubstr("dags/daily.yaml:10:8: task bad needs the key job"));
  EXPECT_THAT(report, HasSubstr("task bad has no key \"jb\" | did you mean \"job\"?"));
  EXPECT_THAT(report, HasSubstr("datasets/order.yaml:18:1: a data set has no key \"extra\""));
  EXPECT_THAT(report, HasSubstr("sql/queries/q2.sql:1:4: a SQL file has no key \"titel\""));
}

TEST(Load, renders_for_people) {
  FileSet files = shop();
  files.origin = "shop";
  std::string& text = files.texts["datasets/order.yaml"];
  text.replace(text.find("columns:"), 8, "colums:");
  std::vector<Diagnostic> diagnostics = load(files, {}).diagnostics;
  ASSERT_EQ(diagnostics.size(), 2u);
  EXPECT_EQ(render(diagnostics[1]),
            "error[PP2103]: a data set has no key \"colums\"\n"
            "  --> shop/datasets/order.yaml:5:1\n"
            "   |\n"
            " 5 | colums:\n"
            "   | ^^^^^^ did you mean \"columns\"?\n"
            "   = help: pinpipe explain PP2103\n");
  EXPECT_NE(find_problem("pp2103"), nullptr);
  EXPECT_EQ(find_problem("PP9999"), nullptr);
}

TEST(Load, a_layer_lies_over_the_project) {
  FileSet over;
  over.origin = "overlay";
  over.texts["pinpipe.yaml"] =
      "project: shop2\nqueries: { q1: sql/variants/q1_ties.sql, q10: , q0: sql/queries/q2.sql }\n"
      "tables: { bands: sql/tables/other.sql }\n";
  over.texts["sql/variants/q1_ties.sql"] = "-- title: ties\nselect 3";
  over.texts["sql/tables/other.sql"] = "select 'other'";
  over.texts["datasets/order.yaml"] = "stream:\ncolumns: { extra: bigint }\n";
  FileSet layers[] = {shop(), over};
  Loaded loaded = load(layers, {});
  ASSERT_TRUE(loaded.project) << render(loaded.diagnostics);
  const Project& p = *loaded.project;
  EXPECT_EQ(p.name, "shop2");
  EXPECT_EQ(p.variables.at("id"), "ab12");
  ASSERT_EQ(p.queries.size(), 3u);
  EXPECT_EQ(p.queries[0].name, "q0");
  EXPECT_EQ(p.queries[1].title, "ties");
  EXPECT_EQ(p.queries[1].sql.name, "overlay/sql/variants/q1_ties.sql");
  EXPECT_EQ(p.tables[0].sql.text, "select 'other'");
  EXPECT_EQ(p.datasets[0].stream, "");
  EXPECT_EQ(p.datasets[0].schema.size(), 4u);
  over.texts["datasets/order.yaml"] = "colums: {}\n";
  layers[1] = over;
  loaded = load(layers, {});
  ASSERT_EQ(loaded.diagnostics.size(), 1u);
  EXPECT_EQ(loaded.diagnostics[0].file, "overlay/datasets/order.yaml");
}

TEST(Load, reads_a_directory) {
  kit::TemporaryDirectory directory;
  io::Files& files = io::posix_files();
  for (const auto& [path, text] : shop().texts) {
    std::string full = directory.path() + "/" + path;
    ASSERT_TRUE(files.make_directories(io::parent_directory(full)));
    ASSERT_TRUE(files.replace(full, text));
  }
  ASSERT_TRUE(files.replace(directory.path() + "/README.md", "not read"));
  std::string directories[] = {directory.path() + "/"};
  Loaded loaded = load_directories(files, {}, directories, {});
  ASSERT_TRUE(loaded.project) << render(loaded.diagnostics);
  EXPECT_EQ(loaded.project->queries.size(), 3u);
  std::string nowhere[] = {directory.path() + "/nowhere"};
  EXPECT_FALSE(load_directories(files, {}, nowhere, {}).project);
}

TEST(Load, the_project_inside_the_binary_is_valid) {
  Loaded loaded = load(embedded_project(), {});
  ASSERT_TRUE(loaded.project) << render(loaded.diagnostics);
  EXPECT_EQ(loaded.project->name, "pinterest");
  EXPECT_EQ(loaded.project->variables.at("user_id"), "0e90e0175553");
  const DagSpec* dag = loaded.project->find_dag("0e90e0175553_dag");
  ASSERT_NE(dag, nullptr);
  EXPECT_EQ(dag->tasks.at(0).job, "batch");
  EXPECT_EQ(loaded.project->datasets.size(), 3u);
  EXPECT_EQ(loaded.project->find_dataset("pin")->topic, "0e90e0175553.pin");
  EXPECT_EQ(loaded.project->queries.size(), 9u);
  EXPECT_EQ(dag->tasks.at(0).retry_delay_ms, 120'000);
}

TEST(Load, every_problem_has_its_own_code_and_a_text) {
  std::map<std::string_view, int> codes;
  for (const Problem& problem : all_problems()) {
    EXPECT_EQ(++codes[problem.code], 1) << problem.code;
    EXPECT_FALSE(problem.title.empty());
    EXPECT_FALSE(problem.text.empty());
  }
}

}  // namespace
}  // namespace pinpipe::project
