#include <cstdio>

#include "app/command.h"
#include "app/project_source.h"

namespace pinpipe::app {

ExitCode run_validate(const Invocation& invocation) {
  project::Loaded loaded = load_project(invocation.project_path);
  if (!loaded.project) {
    std::fputs(project::render(loaded.diagnostics).c_str(), stderr);
    return ExitCode::project;
  }
  const project::Project& project = *loaded.project;
  Answer answer;
  answer.columns = {"project", "from", "datasets", "queries", "dags", "connectors"};
  answer.add_row({project.name, project.origin, project.datasets.size(), project.queries.size(),
                  project.dags.size(), project.connectors.size()});
  return print(answer, invocation.form);
}

}  // namespace pinpipe::app
