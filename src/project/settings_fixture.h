// For tests of settings: a project of nothing but the lines in question.
#pragma once

#include <string>

#include "project/load.h"

namespace pinpipe::project {

inline Loaded with(const std::string& lines) {
  FileSet files;
  files.texts["pinpipe.yaml"] = "version: 1\nproject: shop\n" + lines;
  return load(files, {});
}

// What is wrong with it, a line for each problem.
inline std::string report_with(const std::string& lines) {
  std::string text;
  for (const Diagnostic& one : with(lines).diagnostics)
    text += one_line(one) + (one.hint.empty() ? "" : " | " + one.hint) + "\n";
  return text;
}

}  // namespace pinpipe::project
