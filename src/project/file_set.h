// The files of one project as texts by relative path: read from a directory, compiled into the
// binary, or written by a test. Layers: later sets lie over earlier ones.
// Bounds: files_max files, file_bytes_max each.
#pragma once

#include <map>
#include <string>

#include "io/files.h"
#include "project/diagnostic.h"

namespace pinpipe::project {

struct FileSet {
  static constexpr size_t files_max = 2000;
  static constexpr size_t file_bytes_max = 256 * 1024;
  static constexpr size_t depth_max = 8;

  std::string origin;  // how people call it: a directory, or "(built in)"; may be empty
  std::map<std::string, std::string> texts;  // "datasets/pin.yaml" → text

  // The name a message gives the file.
  std::string name_of(const std::string& path) const;
};

// Reads *.yaml, *.yml and *.sql below `directory`; names that begin with a dot and the folder
// `target` are left out. What cannot be read is reported. Blocks.
FileSet read_directory(io::Files& files, const std::string& directory, Diagnostics& out);

}  // namespace pinpipe::project
