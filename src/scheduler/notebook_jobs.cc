// Which job stands for a notebook's path.
#include <fmt/format.h>

#include "scheduler/dag_file.h"

namespace pinpipe::scheduler {
namespace {

// * stands for any run of characters. Linear in most cases, never worse than the product.
bool matches_glob(std::string_view text, std::string_view pattern) {
  size_t star = std::string_view::npos, resume = 0, t = 0, p = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace

NotebookJob job_of_notebook(const NotebookJobs& jobs, std::string_view path) {
  for (const project::Notebook& one : jobs.notebooks) {
    if (!matches_glob(path, one.pattern)) continue;
    return {one.job,
            fmt::format("notebook \"{}\" stands for job {} (notebooks: \"{}\"); the notebook "
                        "itself is not run",
                        path, one.job, one.pattern)};
  }
  return {jobs.fallback,
          fmt::format("notebook \"{}\" is not mapped to a job: {} runs in its place. "
                      "Name it under notebooks: in pinpipe.yaml to choose another",
                      path, jobs.fallback)};
}

}  // namespace pinpipe::scheduler
