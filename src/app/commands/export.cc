// `pinpipe export airflow`: the project's DAG as a file for Airflow.
#include <fmt/format.h>

#include "app/command.h"
#include "app/dag_jobs.h"
#include "io/files.h"
#include "project/nearest.h"
#include "scheduler/dag_export.h"
#include "scheduler/python_tokens.h"

namespace pinpipe::app {
namespace {

Result<scheduler::DagExport> how_of(const codec::Json& arguments) {
  scheduler::DagExport how;
  int64_t flavor = integer_argument(arguments, "flavor");
  if (flavor != 2 && flavor != 3) return Error(Code::invalid, "--flavor is 2 or 3");
  how.flavor = static_cast<int>(flavor);
  std::string via = text_argument(arguments, "via");
  using Via = scheduler::DagExport::Via;
  if (via == "bash") {
    how.via = Via::bash;
  } else if (via == "http") {
    how.via = Via::http;
  } else if (via == "databricks") {
    how.via = Via::databricks;
  } else {
    return Error(Code::invalid, "--via is bash, http or databricks");
  }
  return how;
}

Result<const project::DagSpec*> dag_of(const project::Project& project, const std::string& id) {
  if (id.empty() && project.dags.size() == 1) return &project.dags.front();
  if (const project::DagSpec* dag = project.find_dag(id)) return dag;
  std::vector<std::string> known;
  for (const project::DagSpec& dag : project.dags) known.push_back(dag.id);
  if (id.empty())
    return Error(Code::invalid, fmt::format("--dag is one of {}", fmt::join(known, ", ")));
  return Error(Code::not_found,
               fmt::format("there is no DAG {}; {}", id, project::did_you_mean(id, known)));
}

// A file of that name that we did not write is somebody's work.
Status write_over_ours(const std::string& path, const std::string& text) {
  auto old = io::posix_files().read_all(path, scheduler::source_bytes_max);
  if (old && !old->starts_with(scheduler::export_begin)) {
    return Error(Code::conflict, path + " is not one that pinpipe wrote; move it, or choose --out");
  }
  if (!old && old.error().code() != Code::not_found) return old.error();
  return io::posix_files().replace(path, text);
}

}  // namespace

ExitCode run_export_airflow(const Invocation& invocation) {
  auto how = how_of(invocation.arguments);
  if (!how) return report(how.error());
  auto project = open_project(invocation);
  if (!project) return ExitCode::project;
  auto dag = dag_of(*project, text_argument(invocation.arguments, "dag"));
  if (!dag) return report(dag.error());
  auto text = scheduler::airflow_dag(**dag, *how, notebook_jobs(*project));
  if (!text) return report(text.error());
  std::string path = text_argument(invocation.arguments, "out") + "/" + (*dag)->id + ".py";
  if (Status written = write_over_ours(path, *text); !written) return report(written.error());
  Answer answer;
  answer.columns = {"dag", "file", "flavor", "via"};
  answer.add_row({(*dag)->id, path, how->flavor, text_argument(invocation.arguments, "via")});
  answer.notes.emplace_back("Airflow keeps the schedule from now on: pinpipe dag pause");
  return print(answer, invocation.form);
}

}  // namespace pinpipe::app
