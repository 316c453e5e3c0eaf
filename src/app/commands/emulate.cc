#include "app/command.h"
#include "app/data_directory.h"
#include "app/emulation.h"
#include "app/rows_source.h"

namespace pinpipe::app {
namespace {

Result<source::Order> order_named(const std::string& name) {
  if (name == "once") return source::Order::once;
  if (name == "random") return source::Order::random;
  if (name == "sequential") return source::Order::sequential;
  return Error(Code::invalid, "there is no mode \"" + name + "\"; use once, random or sequential");
}

// The running server's gateway unless a URL is given.
Result<std::string> base_url_of(const Invocation& invocation, std::string given) {
  if (!given.empty()) return given;
  auto endpoints = read_endpoints(invocation.data_path);
  if (!endpoints) {
    return Error(
        Code::unavailable,
        endpoints.error().text() + "; start one with `pinpipe up`, or name a gateway with --url");
  }
  return "http://" + endpoints->gateway + "/test";
}

Result<EmulationPlan> plan_of(const Invocation& invocation, source::Target target) {
  const codec::Json& arguments = invocation.arguments;
  auto order = order_named(text_argument(arguments, "mode"));
  if (!order) return order.error();
  auto datetime = source::datetime_style_named(text_argument(arguments, "datetime"));
  if (!datetime) return Error(Code::invalid, "--datetime is a, b, c or d");
  for (std::string_view name : {"count", "rows", "concurrency", "rate"}) {
    if (integer_argument(arguments, name) < 0)
      return Error(Code::invalid, "--" + std::string(name) + " is not negative");
  }
  std::string sleep = text_argument(arguments, "sleep");
  if (sleep != "none" && sleep != "random")
    return Error(Code::invalid, "there is no sleep \"" + sleep + "\"; use none or random");
  auto url = base_url_of(invocation, text_argument(arguments, "url"));
  if (!url) return url.error();
  return EmulationPlan{
      .target = target,
      .base_url = *url,
      .ca_file = text_argument(arguments, "ca"),
      .user_id = text_argument(arguments, "user-id"),
      .order = *order,
      .datetime = *datetime,
      .rounds = static_cast<uint64_t>(integer_argument(arguments, "count")),
      .seed = integer_argument(arguments, "seed"),
      .concurrency = static_cast<size_t>(integer_argument(arguments, "concurrency")),
      .posts_per_second = static_cast<double>(integer_argument(arguments, "rate") * 3),
      .sleeps = sleep == "random",
      .until_signal = true};
}

ExitCode run_emulate(const Invocation& invocation, source::Target target, std::string_view path) {
  auto plan = plan_of(invocation, target);
  if (!plan) {
    report(plan.error());
    return plan.error().code() == Code::unavailable ? ExitCode::unreachable : ExitCode::usage;
  }
  auto project = open_project(invocation);
  if (!project) return ExitCode::project;
  if (plan->user_id.empty()) plan->user_id = project->variables["user_id"];
  int64_t rows = integer_argument(invocation.arguments, "rows");
  auto from = source_wanted(text_argument(invocation.arguments, "source"), rows > 0, *project,
                            invocation.data_path);
  if (!from) return report(from.error());
  plan->source = std::move(*from);
  if (rows > 0) plan->rows = static_cast<uint64_t>(rows);
  io::Runtime runtime({.loops = 1, .disk_threads = 1, .work_threads = 1});
  auto emulation = emulate(runtime, *plan);
  return emulation ? print(answer_of(*emulation, path), invocation.form)
                   : report(emulation.error());
}

}  // namespace

ExitCode run_emulate_batch(const Invocation& invocation) {
  return run_emulate(invocation, source::Target::batch, "batch");
}

ExitCode run_emulate_stream(const Invocation& invocation) {
  return run_emulate(invocation, source::Target::stream, "stream");
}

}  // namespace pinpipe::app
