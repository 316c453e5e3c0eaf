// Which project a command works on: the folder named by --project, or the one in the program.
#pragma once

#include <string>

#include "app/exit_code.h"
#include "base/result.h"
#include "project/load.h"

namespace pinpipe::app {

// All that is wrong is in `diagnostics`; a project only when nothing is. Secrets come from the
// environment as PINPIPE_SECRET_<NAME>.
project::Loaded load_project(const std::string& project_path);

}  // namespace pinpipe::app
