// Which project a command works on: the folder named by --project or the one in the program, and
// the folders of --overlay laid over it.
#pragma once

#include <string>
#include <vector>

#include "app/exit_code.h"
#include "base/result.h"
#include "project/load.h"

namespace pinpipe::app {

struct ProjectSource {
  std::string path;                   // empty: the one compiled in
  std::vector<std::string> overlays;  // later ones lie over earlier ones
};

// All that is wrong is in `diagnostics`; a project only when nothing is. Secrets come from the
// environment as PINPIPE_SECRET_<NAME>.
project::Loaded load_project(const ProjectSource& from);

}  // namespace pinpipe::app
