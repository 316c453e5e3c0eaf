#include "app/project_source.h"

#include <cstdlib>

#include "app/dag_jobs.h"
#include "base/log_line.h"
#include "io/files.h"
#include "project/embedded.h"

namespace pinpipe::app {
namespace {

std::optional<std::string> secret_named(std::string_view name) {
  std::string variable = "PINPIPE_SECRET_";
  for (char c : name) variable += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr) return std::nullopt;
  redact_in_logs(value);
  return value;
}

}  // namespace

project::Loaded load_project(const ProjectSource& from) {
  project::LoadOptions options;
  options.secrets = secret_named;
  std::vector<project::FileSet> layers;
  std::vector<std::string> directories = from.overlays;
  if (from.path.empty()) {
    layers.push_back(project::embedded_project());
  } else {
    directories.insert(directories.begin(), from.path);
  }
  project::Loaded loaded =
      project::load_directories(io::posix_files(), std::move(layers), directories, options);
  if (!loaded.project) return loaded;
  project::Diagnostics unfit;
  check_dags(*loaded.project, unfit);
  if (unfit.empty()) return loaded;
  return {.project = std::nullopt, .diagnostics = unfit.take()};
}

}  // namespace pinpipe::app
