// `pinpipe test`: the project's own tests of its SQL.
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "app/command.h"
#include "base/clock.h"
#include "base/id.h"
#include "codec/xml.h"
#include "io/files.h"
#include "jobs/project_tests.h"

namespace pinpipe::app {
namespace {

std::string junit_of(const project::Project& project,
                     const std::vector<jobs::TestResult>& results) {
  size_t failed = 0;
  for (const jobs::TestResult& result : results) failed += result.difference.empty() ? 0 : 1;
  std::string out;
  codec::XmlWriter xml(out);
  xml.declaration().begin("testsuite").attribute("name", project.name);
  xml.attribute("tests", std::to_string(results.size()));
  xml.attribute("failures", std::to_string(failed));
  for (const jobs::TestResult& result : results) {
    xml.begin("testcase").attribute("name", result.name).attribute("classname", result.place);
    xml.attribute("time", fmt::format("{:.3f}", static_cast<double>(result.took_ms) / 1000));
    if (!result.difference.empty())
      xml.begin("failure").attribute("message", result.difference).text(result.place).end();
    xml.end();
  }
  xml.end();
  return out;
}

Status write_file(const std::string& path, const std::string& text) {
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return error_of_errno(errno, "write " + path);
  std::string_view rest = text;
  while (!rest.empty()) {
    ssize_t written = ::write(file, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      int reason = errno;
      ::close(file);
      return error_of_errno(reason, "write " + path);
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
  ::close(file);
  return {};
}

}  // namespace

ExitCode run_test(const Invocation& invocation) {
  auto project = open_project(invocation);
  if (!project) return ExitCode::project;
  const char* temporary = std::getenv("TMPDIR");
  std::string scratch =
      std::string(temporary != nullptr && *temporary == '/' ? temporary : "/tmp") +
      "/pinpipe-test-" + Uuid::random().text();
  if (Status made = io::posix_files().make_directories(scratch); !made) return report(made.error());
  auto results =
      jobs::run_tests(*project, {.temp_root = scratch, .readable_directories = {}}, system_clock());
  (void)::rmdir(scratch.c_str());
  if (!results) return report(results.error());
  std::string junit = text_argument(invocation.arguments, "junit");
  if (!junit.empty()) {
    if (Status written = write_file(junit, junit_of(*project, *results)); !written)
      return report(written.error());
  }
  Answer answer;
  answer.columns = {"test", "result", "ms", "place", "difference"};
  size_t failed = 0;
  for (const jobs::TestResult& result : *results) {
    bool good = result.difference.empty();
    failed += good ? 0 : 1;
    answer.add_row(
        {result.name, good ? "ok" : "failed", result.took_ms, result.place, result.difference});
  }
  answer.failed = failed > 0;
  answer.notes.push_back(fmt::format("{} tests, {} failed", results->size(), failed));
  return print(answer, invocation.form);
}

}  // namespace pinpipe::app
