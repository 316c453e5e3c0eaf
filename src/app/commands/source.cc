// `pinpipe source create`: fills a database with generated rows.
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

#include "app/command.h"
#include "app/rows_source.h"
#include "base/clock.h"
#include "source/databases.h"

namespace pinpipe::app {
namespace {

// Rewrites one line while a person watches; nothing otherwise.
source::Progress progress_on_terminal() {
  if (isatty(STDERR_FILENO) == 0) return {};
  return [](uint64_t done, uint64_t total) {
    std::fprintf(stderr, "\r  %llu of %llu rows%s", static_cast<unsigned long long>(done),
                 static_cast<unsigned long long>(total), done == total ? "\r\033[K" : "");
  };
}

Result<Answer> create(const Invocation& invocation, const project::Project& project) {
  const codec::Json& arguments = invocation.arguments;
  int64_t rows = integer_argument(arguments, "rows");
  int64_t seed = integer_argument(arguments, "seed");
  if (rows < 1) return Error(Code::invalid, "--rows is at least 1");
  if (seed < 0) return Error(Code::invalid, "--seed is not negative");
  source::Address to{.kind = source::Address::Kind::sqlite,
                     .path = invocation.data_path + "/source.db"};
  if (std::string given = text_argument(arguments, "to"); !given.empty()) {
    auto wanted = source_wanted(given, false, project, invocation.data_path);
    if (!wanted) return wanted.error();
    to = std::move(*wanted);
  }
  int64_t begin_ms = system_clock().steady_ms();
  auto made = source::create_source(
      to, {.rows = static_cast<uint64_t>(rows), .seed = static_cast<uint64_t>(seed)},
      io::posix_files(), progress_on_terminal());
  if (!made) return made.error();
  double seconds = static_cast<double>(system_clock().steady_ms() - begin_ms) / 1000;
  Answer answer;
  answer.columns = {"source", "table", "rows", "status"};
  for (source::Table table : source::all_tables)
    answer.add_row({to.shown(), source::schema_of(table).name, rows,
                    *made ? "made" : "was there, left as it is"});
  if (*made) answer.notes.push_back(fmt::format("{:.1f} s", seconds));
  answer.notes.push_back("next: pinpipe emulate batch --mode random --source …");
  return answer;
}

}  // namespace

ExitCode run_source_create(const Invocation& invocation) {
  auto project = open_project(invocation);
  if (!project) return ExitCode::project;
  auto answer = create(invocation, *project);
  return answer ? print(*answer, invocation.form) : report(answer.error());
}

}  // namespace pinpipe::app
