#include "jobs/project_tests.h"

#include <gmock/gmock.h>

#include "kit/temporary_directory.h"
#include "project/embedded.h"
#include "project/load.h"

namespace pinpipe::jobs {
namespace {

struct ProjectTestsTest : testing::Test {
  kit::TemporaryDirectory directory;

  project::Loaded load(const std::string& tests) {
    project::FileSet files = project::embedded_project();
    if (!tests.empty()) {
      std::erase_if(files.texts, [](const auto& file) { return file.first.starts_with("tests/"); });
      files.texts["tests/x.yaml"] = tests;
    }
    return project::load(files, {});
  }

  std::vector<TestResult> run(const std::string& tests) {
    auto loaded = load(tests);
    EXPECT_TRUE(loaded.project) << project::render(loaded.diagnostics);
    if (!loaded.project) return {};
    auto results =
        run_tests(*loaded.project, {.temp_root = directory.path(), .readable_directories = {}},
                  system_clock());
    EXPECT_TRUE(results) << results.error().text();
    return results ? std::move(*results) : std::vector<TestResult>{};
  }
};

TEST_F(ProjectTestsTest, the_projects_own_tests_hold) {
  auto results = run("");
  EXPECT_GE(results.size(), 9U);
  for (const TestResult& result : results)
    EXPECT_EQ(result.difference, "") << result.place << ": " << result.name;
}

TEST_F(ProjectTestsTest, what_differs_is_told) {
  auto results = run(R"(
tests:
  - {test: wrong, run: clean.pin, given: {raw.pin: [{index: 1, follower_count: 2k}]},
     expect: [{ind: 1, follower_count: 2}]}
  - {test: more, run: clean.pin, given: {raw.pin: [{index: 1}, {index: 2}]}, expect: [{ind: 1}]}
  - {test: no column, run: clean.pin, given: {raw.pin: [{index: 1}]}, expect: [{indd: 1}]}
  - {test: order, run: q6,
     given: {clean.user: [{ind: 1, date_joined: "2016-01-01"}, {ind: 2, date_joined: "2015-01-01"}]},
     expect: [{post_year: 2016}, {post_year: 2015}]}
  - {test: refused, run: clean.pin, given: {raw.pin: [{index: one}]}, expect: [{ind: 1}]}
  - {test: good, run: clean.user, given: {}, expect: []}
)");
  ASSERT_EQ(results.size(), 6U);
  EXPECT_EQ(results[0].difference, "expected {ind: 1, follower_count: 2}, which is not there");
  EXPECT_EQ(results[1].difference, "a row that nobody expects: {ind: 2}");
  EXPECT_EQ(results[2].difference, "there is no column indd");
  EXPECT_EQ(results[3].difference, "expected {post_year: 2016}, got {post_year: 2015}");
  EXPECT_THAT(results[4].difference, testing::HasSubstr("cannot read one as integer"));
  EXPECT_EQ(results[5].difference, "");
  EXPECT_THAT(results[0].place, testing::HasSubstr("tests/x.yaml:3"));
}

TEST_F(ProjectTestsTest, names_that_lead_nowhere_are_found_when_files_are_read) {
  auto loaded = load("tests:\n  - {test: a, run: clean.pni, given: {raw.geo: [], row.user: []}}\n");
  ASSERT_FALSE(loaded.project);
  std::string text = project::render(loaded.diagnostics);
  EXPECT_THAT(text, testing::HasSubstr("did you mean \"clean.pin\"?"));
  EXPECT_THAT(text, testing::HasSubstr("there is no table row.user"));
}

}  // namespace
}  // namespace pinpipe::jobs
