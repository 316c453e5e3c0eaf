// status: one screen, healthy or what is behind and what to do.
#include "app/health.h"
#include "app/operations/list.h"

namespace pinpipe::app {

namespace {

io::Task<Result<Answer>> tell_status(House& house, codec::Json) {
  Answer answer;
  answer.columns = {"part", "state", "count", "note"};
  for (PartHealth& part : co_await look_at_parts(house)) {
    if (part.behind) answer.notes.push_back("behind: " + part.part + ": " + part.note);
    answer.add_row({part.part, part.state, std::move(part.count), part.note});
  }
  if (answer.notes.empty()) answer.notes.emplace_back("healthy");
  co_return answer;
}

}  // namespace

std::vector<Operation> status_operations() {
  return {
      {.noun = "",
       .verb = "status",
       .summary = "healthy, or what is behind and what to do",
       .example = "pinpipe status",
       .parameters = {},
       .run = tell_status},
  };
}

}  // namespace pinpipe::app
