#include "app/report_page.h"

#include <gmock/gmock.h>

namespace pinpipe::app {
namespace {

using testing::HasSubstr;
using testing::Not;

ReportContents contents() {
  Answer answer;
  answer.title = "q1: <most> popular";
  answer.columns = {"country", "count"};
  for (int i = 0; i < 60; ++i) answer.add_row({"Chad & co", i});
  answer.notes = {"read as: one winner"};
  Answer books;
  books.columns = {"dataset", "records"};
  books.add_row({"pin", 11154});
  books.notes = {"the accounting closes"};
  Answer empty;
  empty.title = "q2: nothing";
  empty.columns = {"a"};
  return {.project = "pinterest",
          .made_at = "2026-01-02T03:04:05.000Z",
          .parts = {{.part = "clean.pin", .state = "ok", .count = 5, .note = "rows"}},
          .books = books,
          .run = {},
          .checks = {},
          .answers = {answer, empty}};
}

TEST(ReportPage, a_page_has_the_pipeline_and_each_answer_drawn_and_as_a_table) {
  std::string page = report_page(contents());
  EXPECT_THAT(page, HasSubstr("clean.pin"));
  EXPECT_THAT(page, HasSubstr("<td class=\"number\">11154</td>"));
  EXPECT_THAT(page, HasSubstr("the accounting closes"));
  EXPECT_THAT(page, HasSubstr("q1: &lt;most&gt; popular"));
  EXPECT_THAT(page, HasSubstr("Chad &amp; co"));
  EXPECT_THAT(page, HasSubstr("<svg"));
  EXPECT_THAT(page, HasSubstr("the first 50 of 60 rows"));
  EXPECT_THAT(page, HasSubstr("No rows."));
}

TEST(ReportPage, a_page_needs_nothing_but_itself) {
  std::string page = report_page(contents());
  for (const char* reach : {"<script", "http://", "https://", "<link", "@import", "url("})
    EXPECT_THAT(page, Not(HasSubstr(reach)));
}

}  // namespace
}  // namespace pinpipe::app
