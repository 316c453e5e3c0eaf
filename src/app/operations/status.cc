// status: one screen, healthy or what is behind and what to do.
#include <fmt/format.h>

#include "app/operations/list.h"
#include "base/clock.h"

namespace pinpipe::app {

using codec::Json;

io::Task<Result<Answer>> tell_status(House& house, Json) {
  Answer answer;
  answer.columns = {"part", "state", "count", "note"};
  for (const project::Dataset& dataset : house.project().datasets) {
    auto range = co_await house.topics().range(dataset.topic, 0);
    answer.add_row({dataset.topic, range ? "ok" : "absent",
                    range ? Json(range->high_watermark) : Json(), "records in the topic"});
  }
  auto reports = co_await house.batch().reports(1);
  if (!reports) co_return reports.error();
  if (reports->empty()) {
    answer.add_row({"batch", "never ran", Json(),
                    "`pinpipe run` cleans what is in the bucket and answers the questions"});
    co_return answer;
  }
  for (const jobs::DatasetCount& c : reports->front().counts) {
    answer.add_row({"clean." + c.dataset, c.refused + c.quarantined > 0 ? "has quarantine" : "ok",
                    c.clean, fmt::format("rows after run {}", reports->front().run)});
  }
  co_return answer;
}

}  // namespace pinpipe::app
