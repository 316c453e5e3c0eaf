// Which source database a command or a door reads: what was asked for, else PINPIPE_SOURCE, else
// the project's `source`, else the SQLite file in the data directory, else the generator.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "project/project.h"
#include "source/address.h"

namespace pinpipe::app {

// `given` is empty when nothing was asked for. With `generated_rows` and nothing else said it is
// the generator.
Result<source::Address> source_wanted(const std::string& given, bool generated_rows,
                                      const project::Project& project,
                                      const std::string& data_path);

// The SQLite file that the MySQL endpoint serves, made with the classic rows when it is not there.
Result<std::string> embedded_source_file(const project::Project& project,
                                         const std::string& data_path);

// An environment variable.
std::optional<std::string> environment_value(std::string_view name);

}  // namespace pinpipe::app
