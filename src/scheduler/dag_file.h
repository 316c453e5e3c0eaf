// Reads a DAG file as Airflow's users write it, without running Python: imports, assignments of
// literals, datetime(…) and timedelta(…), f-strings of known constants, DAG(…), the operators of a
// short table, >> << chain. That is the shape of the course's `<id>_dag.py`.
// Promise: what is read means what Airflow would mean by it. What cannot be evaluated is named with
// its line; where it decides what a DAG does, that DAG is refused as a whole, and the others of the
// file are not. No Python runs, and none is claimed to have run: a task that stands for a notebook
// says which job runs in its place.
// Bounds: those of python_tree; dags_per_file_max.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "project/project.h"

namespace pinpipe::scheduler {

// Jobs that a DAG file may lead to besides those of its notebooks.
inline constexpr std::string_view nothing_job = "nothing";      // succeeds at once
inline constexpr std::string_view trigger_job = "trigger_dag";  // params: dag_id, conf, wait
inline constexpr std::string_view triggered_dag_param = "dag_id";

// Which job runs where Airflow would have a notebook run.
struct NotebookJobs {
  std::vector<project::Notebook> notebooks = {};  // the first pattern that matches counts
  std::string fallback = {};                      // for paths that none matches
};
struct NotebookJob {
  std::string job;
  std::string sentence;  // what is said of it in the log
};
NotebookJob job_of_notebook(const NotebookJobs& jobs, std::string_view path);

struct DagFileProblem {
  int line = 0;  // 0: the file as a whole
  std::string sentence;
  bool refused = false;  // a DAG, or the whole file, was not taken because of it
};

struct DagFile {
  static constexpr size_t dags_per_file_max = 100;

  std::string name;
  std::vector<project::DagSpec> dags;
  std::vector<DagFileProblem> problems;  // by line
};

DagFile read_dag_file(std::string name, std::string_view source, const NotebookJobs& jobs);

}  // namespace pinpipe::scheduler
