#include "jobs/stream_statement.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "project/embedded.h"
#include "project/load.h"

namespace pinpipe::jobs {
namespace {

std::string refusals(const std::string& clean, const std::string& quarantine = "") {
  project::Dataset dataset;
  dataset.name = "pin";
  dataset.clean = {"sql/clean/pin.sql", "sql/clean/pin.sql", clean};
  dataset.quarantine = {"sql/quarantine/pin.sql", "sql/quarantine/pin.sql", quarantine};
  std::string text;
  constexpr std::string_view common = "the stream job runs this over one micro-batch at a time: ";
  for (const project::Diagnostic& one : check_per_batch(dataset)) {
    std::string sentence = one.sentence;
    EXPECT_TRUE(sentence.starts_with(common)) << sentence;
    text += fmt::format("{}:{}:{}: {}\n", one.file, one.line, one.column,
                        sentence.substr(std::min(sentence.size(), common.size())));
  }
  return text;
}

TEST(PerBatch, statements_about_single_rows_pass) {
  EXPECT_EQ(refusals("select \"index\" as ind, greatest(a, b) as most, count, list_value(1) as l,\n"
                     "  -- count(*) over (order by 1), distinct\n"
                     "  'limit 1' as text, raw.pin.title as max from raw.pin where a is not null"),
            "");
  EXPECT_EQ(refusals("with b as (select * except (x) from raw.pin) select * from b order by a"),
            "");
  EXPECT_EQ(refusals("select a from raw.pin union all select b from raw.pin"), "");
}

TEST(PerBatch, what_would_be_answered_from_one_batch_is_refused_with_its_place) {
  EXPECT_EQ(refusals("select category,\n  count(*) as n\nfrom raw.pin\ngroup by category"),
            "sql/clean/pin.sql:2:3: count() would be of one batch, not of all rows\n"
            "sql/clean/pin.sql:4:1: groups would be of one batch, not of all rows\n");
  EXPECT_EQ(refusals("SELECT DISTINCT a FROM raw.pin"),
            "sql/clean/pin.sql:1:8: equal rows of other batches are not seen\n");
  EXPECT_EQ(refusals("select a, avg(b) over (order by a rows unbounded preceding) from raw.pin"),
            "sql/clean/pin.sql:1:11: avg() would be of one batch, not of all rows\n"
            "sql/clean/pin.sql:1:18: a window reaches beyond its batch, and sees nothing there\n");
  EXPECT_EQ(refusals("select a from raw.pin limit 10"),
            "sql/clean/pin.sql:1:23: it would count anew in each batch\n");
  EXPECT_EQ(
      refusals("select a from raw.pin union select b from raw.pin"),
      "sql/clean/pin.sql:1:23: equal rows of other batches are not seen\n"
      "sql/clean/pin.sql:1:43: raw.pin is read a second time, where rows of other batches are "
      "missing\n");
  EXPECT_EQ(
      refusals("select l.a from raw.pin l join raw.pin r on l.a = r.b"),
      "sql/clean/pin.sql:1:32: raw.pin is read a second time, where rows of other batches are "
      "missing\n");
  EXPECT_EQ(refusals("select a from raw.pin", "select max(_line) from raw.pin_records"),
            "sql/quarantine/pin.sql:1:8: max() would be of one batch, not of all rows\n");
}

TEST(PerBatch, the_built_in_project_passes_and_its_variant_without_equal_rows_does_not) {
  auto loaded = project::load(project::embedded_project(), {});
  ASSERT_TRUE(loaded.project);
  EXPECT_TRUE(check_per_batch(*loaded.project).empty());
  project::FileSet files = project::embedded_project();
  files.texts["sql/clean/geo.sql"] = files.texts.at("sql/variants/geo_distinct.sql");
  loaded = project::load(files, {});
  ASSERT_TRUE(loaded.project);
  EXPECT_FALSE(check_per_batch(*loaded.project).empty());
}

TEST(PerBatch, sql_that_only_the_batch_job_runs_may_look_at_all_rows) {
  project::FileSet files = project::embedded_project();
  std::string& geo = files.texts.at("datasets/geo.yaml");
  constexpr std::string_view before = "clean: sql/clean/geo.sql";
  geo.replace(geo.find(before), before.size(), "clean: {batch: sql/variants/geo_distinct.sql}");
  auto loaded = project::load(files, {});
  ASSERT_TRUE(loaded.project) << project::render(loaded.diagnostics);
  EXPECT_TRUE(check_per_batch(*loaded.project).empty());
  const project::Dataset& dataset = *loaded.project->find_dataset("geo");
  EXPECT_NE(dataset.clean.text.find("select distinct"), std::string::npos);
  EXPECT_TRUE(loaded.project->stream_input(dataset).empty());
  EXPECT_FALSE(loaded.project->stream_input(*loaded.project->find_dataset("pin")).empty());
}

}  // namespace
}  // namespace pinpipe::jobs
