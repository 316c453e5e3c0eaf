// report: the whole of it as one page.
#include "app/accounting.h"
#include "app/operations/list.h"
#include "app/report_page.h"
#include "base/clock.h"

namespace pinpipe::app {
namespace {

using codec::Json;

io::Task<Result<Answer>> make_report(House& house, Json) {
  ReportContents contents{.project = house.project().name,
                          .made_at = to_rfc3339(system_clock().wall_ms()),
                          .parts = co_await look_at_parts(house),
                          .books = {},
                          .run = {},
                          .checks = {},
                          .answers = {}};
  auto counts = co_await count_paths(house);
  if (!counts) co_return counts.error();
  contents.books = answer_of(*counts);
  auto reports = co_await house.batch().reports(1);
  if (!reports) co_return reports.error();
  if (!reports->empty()) {
    contents.run = answer_of(reports->front());
    contents.checks = checks_of(reports->front());
  }
  auto answers = co_await house.questions().ask("");
  if (!answers && answers.error().code() != Code::not_found) co_return answers.error();
  if (answers) {
    for (const jobs::QuestionAnswer& answer : *answers)
      contents.answers.push_back(answer_of(answer));
  }
  Answer page;
  page.columns = {"html"};
  page.add_row({report_page(contents)});
  co_return page;
}

}  // namespace

std::vector<Operation> report_operations() {
  return {{.noun = "",
           .verb = "report",
           .summary = "the pipeline, its counts and all answers as one HTML page",
           .example = "pinpipe report > report.html",
           .parameters = {},
           .run = make_report,
           .plain = first_cells}};
}

}  // namespace pinpipe::app
