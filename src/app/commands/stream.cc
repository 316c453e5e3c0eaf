// `pinpipe stream read`: records of all shards, once, or on and on.
#include <cstdio>
#include <map>

#include "app/asker.h"
#include "base/clock.h"

namespace pinpipe::app {
namespace {

using codec::Json;

constexpr int64_t count_standard = 100;
constexpr int64_t wait_s = 20;  // of one question while nothing comes

// The last sequence number of each shard that was read.
using Places = std::map<int64_t, std::string>;

void note_places(const Answer& answer, Places& places) {
  for (const auto& row : answer.rows)
    places[row[1].as_int().value_or(0)] = row[2].as_string().value_or("");
}

std::string text_of(const Places& places) {
  std::string text;
  for (const auto& [shard, sequence] : places) text += (text.empty() ? "" : ",") + sequence;
  return text;
}

// A CSV's names are printed once.
void print_more(const Answer& answer, Form form, bool is_first) {
  std::string text = render(answer, form);
  size_t from = form == Form::csv && !is_first ? text.find('\n') + 1 : 0;
  std::fwrite(text.data() + from, 1, text.size() - from, stdout);
  std::fflush(stdout);
}

ExitCode follow(Asker& asker, Json arguments, Form form, int64_t count_max) {
  Places places;
  int64_t count = 0;
  // What comes between two questions must not be missed: "latest" means from now on.
  if (text_argument(arguments, "from") == "latest")
    arguments.set("from", to_rfc3339(system_clock().wall_ms()));
  while (count_max == 0 || count < count_max) {
    int64_t left = count_max == 0 ? count_standard : std::min(count_standard, count_max - count);
    arguments.set("count", left).set("wait", wait_s).set("after", text_of(places));
    auto answer = asker.ask("stream", "read", arguments);
    if (!answer) return report(answer.error());
    if (answer->rows.empty()) continue;
    print_more(*answer, form, count == 0);
    note_places(*answer, places);
    count += static_cast<int64_t>(answer->rows.size());
  }
  return ExitCode::ok;
}

}  // namespace

ExitCode run_stream_read(const Invocation& invocation) {
  Json arguments = invocation.arguments;
  const bool follows = flag_argument(arguments, "follow");
  const int64_t count = std::max<int64_t>(0, integer_argument(arguments, "count"));
  arguments.erase("follow");
  if (follows && !read_endpoints(invocation.data_path)) {
    (void)report(Error(Code::unavailable, "nobody writes without a server; start `pinpipe up`"));
    return ExitCode::unreachable;
  }
  auto [asker, code] = Asker::open(invocation);
  if (!asker) return code;
  // Tables end; rows that go on are lines.
  if (follows)
    return follow(*asker, std::move(arguments),
                  invocation.form_given ? invocation.form : Form::ndjson, count);
  arguments.set("count", count == 0 ? count_standard : count);
  auto answer = asker->ask("stream", "read", std::move(arguments));
  return answer ? print(*answer, invocation.form) : report(answer.error());
}

}  // namespace pinpipe::app
