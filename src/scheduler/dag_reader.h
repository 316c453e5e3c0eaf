// The reading of one DAG file, shared by dag_file.cc (statements, DAGs, links) and
// dag_operators.cc (tasks).
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scheduler/dag_file.h"
#include "scheduler/python_value.h"

namespace pinpipe::scheduler {

class DagReader {
 public:
  DagReader(std::string name, const NotebookJobs& jobs);
  DagFile read(std::string_view source);

 private:
  struct Draft {
    project::DagSpec spec;
    Value default_args;
    int line = 0;
    bool refused = false;
  };
  struct TaskDraft {
    project::TaskSpec spec;
    std::optional<size_t> dag;
    int line = 0;
    std::set<size_t> after;
  };
  // What the arguments of one call are asked through: a value that is not known, or of another
  // type, becomes a problem; where it is essential, the DAG is refused.
  struct Asked {
    Arguments& arguments;
    std::optional<size_t> dag;
    int line;
    std::string what;  // "DAG", "task load"
  };

  // dag_file.cc
  void warn(int line, std::string sentence);
  void refuse(std::optional<size_t> dag, int line, std::string sentence);
  void walk(const std::vector<Statement>& statements);
  void follow(const Statement& statement);
  void enter(const Statement& with);
  void pass_over(const Statement& other);
  std::optional<Value> call(const std::string& callee, const Value& owner, Arguments& arguments,
                            int line);
  std::optional<Value> make_dag(Arguments& arguments, int line);
  void read_schedule(Asked& asked, project::DagSpec& spec);
  void read_start(Asked& asked, Draft& draft);
  void read_dag_limits(Asked& asked, project::DagSpec& spec);
  void link(const Value& before, const Value& after, int line);
  void chain(const std::vector<Value>& values, int line);
  std::vector<size_t> tasks_in(const Value& value, int line);
  void attach_tasks();
  void check(size_t index);
  void check_circle(const Draft& draft);

  std::optional<Value> take(Asked& asked, std::string_view name);
  std::optional<std::string> text(Asked& asked, std::string_view name, bool essential);
  std::optional<int64_t> integer(Asked& asked, std::string_view name);
  std::optional<bool> boolean(Asked& asked, std::string_view name);
  std::optional<int64_t> span_ms(Asked& asked, std::string_view name);
  void wrong(Asked& asked, std::string_view name, const Value& value, std::string_view wanted,
             bool essential);

  // dag_operators.cc
  static bool is_operator(const std::string& callee);
  std::optional<Value> make_task(const std::string& callee, Arguments& arguments, int line);
  void fill_defaults(Arguments& arguments, const Value& default_args);
  void read_task_base(Asked& asked, project::TaskSpec& task);
  void read_submit(Asked& asked, project::TaskSpec& task);
  void read_run_now(Asked& asked, project::TaskSpec& task);
  void read_notebook(Asked& asked, project::TaskSpec& task);
  void read_trigger(Asked& asked, project::TaskSpec& task);
  void use_notebook(Asked& asked, project::TaskSpec& task, const Value& path);
  void add_params(Asked& asked, project::TaskSpec& task, const Value& params);
  void note_leftovers(const Asked& asked, const std::set<std::string_view>& harmless);

  const NotebookJobs& jobs_;
  DagFile file_;
  Evaluator evaluator_;
  std::vector<Draft> dags_;
  std::vector<TaskDraft> tasks_;
  std::vector<size_t> inside_;  // of `with DAG(…)`, innermost last
};

}  // namespace pinpipe::scheduler
