#include "app/project_source.h"

#include <cstdlib>

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

project::Loaded load_project(const std::string& project_path) {
  project::LoadOptions options;
  options.secrets = secret_named;
  if (project_path.empty()) return project::load(project::embedded_project(), options);
  return project::load_directories(io::posix_files(), {}, std::vector<std::string>{project_path},
                                   options);
}

}  // namespace pinpipe::app
