// A directory of its own for one test, removed with all that is in it.
#pragma once

#include <cstdlib>
#include <string>

#include "base/check.h"
#include "io/files.h"

namespace pinpipe::kit {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/pinpipe-test-XXXXXX";
    CHECK(::mkdtemp(path_.data()) != nullptr, "a temporary directory can be made");
  }
  ~TemporaryDirectory() { (void)io::posix_files().remove_tree(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace pinpipe::kit
