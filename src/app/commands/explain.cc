// `pinpipe explain PP2103`: works without a server and without a project.
#include "app/command.h"
#include "project/diagnostic.h"

namespace pinpipe::app {

ExitCode run_explain(const Invocation& invocation) {
  std::string code = text_argument(invocation.arguments, "code");
  Answer answer;
  answer.columns = {"code", "title", "meaning"};
  auto add = [&](const project::Problem& problem) {
    answer.add_row({problem.code, problem.title, problem.text});
  };
  if (code.empty()) {
    for (const project::Problem& problem : project::all_problems()) add(problem);
    return print(answer, invocation.form);
  }
  const project::Problem* problem = project::find_problem(code);
  if (problem == nullptr)
    return report(Error(Code::not_found,
                        "there is no problem \"" + code + "\"; `pinpipe explain` lists them"));
  add(*problem);
  return print(answer, invocation.form);
}

}  // namespace pinpipe::app
