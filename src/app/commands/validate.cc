#include <cstdio>

#include "app/command.h"
#include "jobs/stream_statement.h"

namespace pinpipe::app {

ExitCode run_validate(const Invocation& invocation) {
  auto opened = open_project(invocation);
  if (!opened) return ExitCode::project;
  const project::Project& project = *opened;
  if (auto wrong = jobs::check_per_batch(project); !wrong.empty()) {
    std::fputs(project::render(wrong).c_str(), stderr);
    return ExitCode::project;
  }
  Answer answer;
  answer.columns = {"project", "from", "datasets", "queries", "dags", "connectors"};
  answer.add_row({project.name, project.origin, project.datasets.size(), project.queries.size(),
                  project.dags.size(), project.connectors.size()});
  return print(answer, invocation.form);
}

}  // namespace pinpipe::app
