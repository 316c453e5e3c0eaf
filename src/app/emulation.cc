#include "app/emulation.h"

#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

#include "io/scope.h"
#include "io/signals.h"
#include "source/databases.h"

namespace pinpipe::app {
namespace {

// Rewrites one line while a person watches; writes nothing otherwise.
io::Task<> show_progress(source::Emulator& emulator, uint64_t rounds) {
  while (co_await io::sleep_for(Millis(200))) {
    const source::Tally& tally = emulator.tally();
    std::fprintf(stderr, "\r  %llu of %llu rounds, %llu acknowledged, %llu failed ",
                 static_cast<unsigned long long>(tally.rounds),
                 static_cast<unsigned long long>(rounds),
                 static_cast<unsigned long long>(tally.acknowledged),
                 static_cast<unsigned long long>(tally.failed));
  }
  std::fprintf(stderr, "\r\033[K");
}

io::Task<> stop_on_signal(source::Emulator& emulator) {
  if (co_await io::wait_for_signal()) emulator.stop();
}

source::Emulator::Options options_of(const EmulationPlan& plan) {
  source::Emulator::Options options;
  options.base_url = plan.base_url;
  options.ca_file = plan.ca_file;
  options.rounds.target = plan.target;
  options.rounds.destinations = source::destinations_of(plan.target, plan.user_id);
  options.rounds.style.datetime = plan.datetime;
  options.rounds.order = plan.order;
  options.rounds.seed = plan.seed;
  if (plan.rounds > 0) options.rounds.rounds_max = plan.rounds;
  options.concurrency = plan.concurrency;
  options.posts_per_second = plan.posts_per_second;
  options.sleeps = plan.sleeps;
  options.run = plan.run;
  if (plan.is_stored) options.is_stored = plan.is_stored;
  return options;
}

io::Task<Result<Emulation>> post_all(io::Runtime& runtime, const EmulationPlan& plan,
                                     source::Source& rows) {
  source::Emulator emulator(options_of(plan), rows, runtime.work());
  io::Scope scope(io::Loop::current());
  uint64_t rounds = plan.rounds > 0 ? plan.rounds : plan.rows;
  if (isatty(STDERR_FILENO) != 0) scope.spawn("progress", show_progress(emulator, rounds));
  if (plan.until_signal) scope.spawn("signal", stop_on_signal(emulator));
  int64_t begin_ms = system_clock().steady_ms();
  Status ended = co_await emulator.run();
  int64_t duration_ms = system_clock().steady_ms() - begin_ms;
  scope.cancel();
  co_await scope.join();
  if (!ended) co_return ended.error();
  co_return Emulation{
      .tally = emulator.tally(), .duration_ms = duration_ms, .run = emulator.run_name()};
}

}  // namespace

Result<Emulation> emulate(io::Runtime& runtime, const EmulationPlan& plan) {
  auto rows = source::open_source(plan.source, {.rows = plan.rows}, io::posix_files());
  if (!rows) return rows.error();
  return io::wait_on(runtime.loop(runtime.loop_count() - 1), post_all(runtime, plan, **rows));
}

Answer answer_of(const Emulation& emulation, std::string_view path) {
  const source::Tally& t = emulation.tally;
  Answer answer;
  answer.columns = {"path",    "rounds",  "sent",    "acknowledged",    "failed",
                    "unknown", "retried", "seconds", "posts_per_second"};
  double seconds = static_cast<double>(emulation.duration_ms) / 1000.0;
  answer.add_row(
      {path, t.rounds, t.sent, t.acknowledged, t.failed, t.unknown, t.retried,
       std::stod(fmt::format("{:.1f}", seconds)),
       static_cast<int64_t>(seconds > 0 ? static_cast<double>(t.acknowledged) / seconds : 0)});
  if (!t.last_trouble.empty()) answer.notes.push_back("last trouble: " + t.last_trouble);
  answer.failed = t.failed + t.unknown > 0;
  return answer;
}

}  // namespace pinpipe::app
