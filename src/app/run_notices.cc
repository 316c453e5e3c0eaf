#include "app/run_notices.h"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/json.h"

extern "C" char** environ;

namespace pinpipe::app {

using codec::Json;

namespace {

Json time_or_null(int64_t at_ms) {
  return at_ms == 0 ? Json() : Json(to_rfc3339(at_ms));
}

// A file in memory that holds the text, to be read from its begin.
Result<int> memory_file(const std::string& text) {
  int file = ::memfd_create("notice", MFD_CLOEXEC);
  if (file < 0) return error_of_errno(errno, "make a file in memory");
  bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (!written || ::lseek(file, 0, SEEK_SET) != 0) {
    ::close(file);
    return Error(Code::internal, "a notice cannot be written");
  }
  return file;
}

// Ends the whole group of a command that takes too long.
Status await_end(pid_t process, Millis wait) {
  auto handle = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  bool ended = false;
  if (handle >= 0) {
    pollfd ready{handle, POLLIN, 0};
    ended = ::poll(&ready, 1, static_cast<int>(wait.count())) > 0;
    ::close(handle);
  }
  if (!ended) ::kill(-process, SIGKILL);
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended)
    return Error(Code::timeout, fmt::format("the command took longer than {} ms", wait.count()));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error(Code::unavailable,
               WIFEXITED(status) ? fmt::format("the command ended with {}", WEXITSTATUS(status))
                                 : "the command was killed");
}

}  // namespace

std::string notice_json(const scheduler::Told& told) {
  const scheduler::DagRun& run = told.run;
  Json tasks = Json::array();
  for (const scheduler::TaskRun& task : run.tasks) {
    if (task.state != scheduler::TaskState::failed) continue;
    tasks.push(Json::object(
        {{"task_id", task.task_id}, {"try_number", task.try_number}, {"note", task.note}}));
  }
  return codec::to_json(Json::object({{"event", told.event},
                                      {"dag_id", run.dag_id},
                                      {"run_id", run.run_id},
                                      {"run_type", name_of(run.type)},
                                      {"state", name_of(run.state)},
                                      {"logical_date", time_or_null(run.logical_ms.value_or(0))},
                                      {"start_date", time_or_null(run.start_ms)},
                                      {"end_date", time_or_null(run.end_ms)},
                                      {"note", run.note},
                                      {"failed_tasks", std::move(tasks)}}));
}

Status run_command(const std::string& command, const std::string& input, Millis wait) {
  auto file = memory_file(input);
  if (!file) return file.error();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, *file, STDIN_FILENO);
  // Our standard output is data for whoever called us.
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::string shell = "/bin/sh", option = "-c", text = command;
  std::array<char*, 4> arguments{shell.data(), option.data(), text.data(), nullptr};
  pid_t process = 0;
  int failed =
      ::posix_spawn(&process, shell.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  ::close(*file);
  if (failed != 0) return error_of_errno(failed, "start a command");
  return await_end(process, wait);
}

io::Task<Status> RunNotices::tell(scheduler::Told told) {
  std::string text = notice_json(told);
  if (!told.to.command.empty()) {
    std::string command = told.to.command;
    co_return co_await commands_.run([&] { return run_command(command, text, command_wait); });
  }
  auto url = http::Url::parse(told.to.webhook);
  if (!url) co_return url.error();
  http::Request request;
  request.method = "POST";
  request.target = url->target;
  request.headers.set("Content-Type", "application/json");
  request.body = std::move(text);
  http::Client::Retry retry;
  retry.attempts_max = attempts_max;
  retry.when_maybe_done = true;
  auto answer = co_await client_.fetch(*url, request, io::after(webhook_wait), retry);
  if (!answer) co_return answer.error().with(told.to.webhook);
  if (answer->status / 100 != 2) {
    co_return Error(Code::unavailable,
                    fmt::format("{} answered {}", told.to.webhook, answer->status));
  }
  co_return Status{};
}

}  // namespace pinpipe::app
