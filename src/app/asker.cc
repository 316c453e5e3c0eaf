#include "app/asker.h"

#include <fmt/format.h>

#include "app/remote.h"
#include "io/files.h"
#include "io/scope.h"
#include "io/signals.h"

namespace pinpipe::app {
namespace {

io::Task<Result<Answer>> until_interrupted(io::Task<Result<Answer>> task) {
  io::Scope asking(io::Loop::current());
  io::Scope watching(io::Loop::current());
  Result<Answer> answer = Error(Code::cancelled, "cancelled");
  asking.spawn("ask", [](auto task, auto& answer, auto& watching) -> io::Task<> {
    answer = co_await std::move(task);
    watching.cancel();
  }(std::move(task), answer, watching));
  bool interrupted = false;
  watching.spawn("watch for Ctrl-C", [](auto& asking, auto& interrupted) -> io::Task<> {
    if (!co_await io::wait_for_interrupt()) co_return;
    interrupted = true;
    asking.cancel();
  }(asking, interrupted));
  co_await asking.join();
  co_await watching.join();
  if (interrupted && !answer) co_return Error(Code::cancelled, "given up");
  co_return answer;
}

}  // namespace

Asker::~Asker() = default;

Asker::Opened Asker::open(const Invocation& invocation) {
  std::unique_ptr<Asker> asker(new Asker);
  auto endpoints = read_endpoints(invocation.data_path);
  if (endpoints) {
    asker->endpoints_ = std::move(*endpoints);
    asker->runtime_ = std::make_unique<io::Runtime>(
        io::Runtime::Options{.loops = 1, .disk_threads = 1, .work_threads = 1});
    return {.asker = std::move(asker), .code = ExitCode::ok};
  }
  if (!io::posix_files().exists(invocation.data_path + "/FORMAT")) {
    return {.asker = nullptr,
            .code = report(
                Error(Code::not_found, "there is no data in " + invocation.data_path +
                                           " yet; start with `pinpipe demo` or `pinpipe up`"))};
  }
  OpenedHouse opened = open_house(invocation, {.doors = false});
  if (!opened.house) return {.asker = nullptr, .code = opened.code};
  asker->house_ = std::move(opened.house);
  return {.asker = std::move(asker), .code = ExitCode::ok};
}

Result<io::Task<Result<Answer>>> Asker::task_of(std::string_view noun, std::string_view verb,
                                                codec::Json arguments) {
  for (const Operation& operation : operations()) {
    if (operation.noun != noun || operation.verb != verb) continue;
    auto checked = checked_arguments(operation.parameters, std::move(arguments));
    if (!checked) return checked.error();
    return house_ ? house_->task_of(operation, std::move(*checked))
                  : call_server(*endpoints_, operation, *checked);
  }
  return Error(Code::internal, fmt::format("there is no operation {} {}", noun, verb));
}

Result<Answer> Asker::ask(std::string_view noun, std::string_view verb, codec::Json arguments) {
  auto task = task_of(noun, verb, std::move(arguments));
  if (!task) return task.error();
  return io::wait_on(runtime().loop(0), std::move(*task));
}

Result<Answer> Asker::ask_until_interrupted(std::string_view noun, std::string_view verb,
                                            codec::Json arguments) {
  auto task = task_of(noun, verb, std::move(arguments));
  if (!task) return task.error();
  return io::wait_on(runtime().loop(0), until_interrupted(std::move(*task)));
}

}  // namespace pinpipe::app
