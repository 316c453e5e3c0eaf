// Files to Project: the only entrance. Reads everything, reports everything that is wrong.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "project/diagnostic.h"
#include "project/file_set.h"
#include "project/project.h"
#include "project/variables.h"

namespace pinpipe::project {

struct LoadOptions {
  std::map<std::string, std::string> variables;  // win over `vars:`
  Lookup environment = from_environment;
  Lookup secrets;  // without it no secret is known
};

struct Loaded {
  std::optional<Project> project;  // only when there is nothing to report
  std::vector<Diagnostic> diagnostics;
};

// Later layers lie over earlier ones: YAML files of the same path key by key (null takes a key
// away), SQL files whole.
Loaded load(std::span<const FileSet> layers, const LoadOptions& options);
Loaded load(const FileSet& files, const LoadOptions& options);
// Reads the directories, then as above; the first layer may be a set that is already there.
Loaded load_directories(io::Files& files, std::vector<FileSet> layers,
                        std::span<const std::string> directories, const LoadOptions& options);

}  // namespace pinpipe::project
