// status: one screen, healthy or what is behind and what to do; account: the books behind it.
#include <fmt/format.h>

#include "app/accounting.h"
#include "app/health.h"
#include "app/operations/list.h"

namespace pinpipe::app {

namespace {

// The books in one line; what is wrong with them needs somebody.
PartHealth health_of(const std::vector<PathCount>& counts) {
  PartHealth health{.part = "accounting", .state = "closes", .count = {}, .note = {}};
  size_t findings = 0;
  for (const PathCount& count : counts) {
    for (const Finding& finding : audit(count)) {
      ++findings;
      if (health.note.empty() || (finding.is_wrong() && !health.behind)) health.note = finding.text;
      health.behind = health.behind || finding.is_wrong();
      if (health.state == "closes" || finding.kind == Finding::Kind::on_its_way)
        health.state = finding.kind == Finding::Kind::unknown ? "unknown" : "on its way";
    }
  }
  if (health.behind) health.state = "does not close";
  if (findings > 1) health.note += fmt::format("; {} more: `pinpipe account`", findings - 1);
  if (findings == 0) health.note = "what each hop has is what the hop before it handed on";
  return health;
}

io::Task<Result<Answer>> tell_status(House& house, codec::Json) {
  Answer answer;
  answer.columns = {"part", "state", "count", "note"};
  std::vector<PartHealth> parts = co_await look_at_parts(house);
  auto counts = co_await count_paths(house, Depth::positions);
  if (!counts) co_return counts.error();
  parts.push_back(health_of(*counts));
  for (PartHealth& part : parts) {
    if (part.behind) answer.notes.push_back("behind: " + part.part + ": " + part.note);
    answer.add_row({part.part, part.state, std::move(part.count), part.note});
  }
  if (answer.notes.empty()) answer.notes.emplace_back("healthy");
  co_return answer;
}

io::Task<Result<Answer>> account(House& house, codec::Json) {
  auto counts = co_await count_paths(house);
  if (!counts) co_return counts.error();
  co_return answer_of(*counts);
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
      {.noun = "",
       .verb = "account",
       .summary = "records and rows at every hop of both paths, and whether they add up",
       .example = "pinpipe account",
       .parameters = {},
       .run = account},
  };
}

}  // namespace pinpipe::app
