#include "project/file_set.h"

#include <fmt/format.h>

namespace pinpipe::project {
namespace {

class DirectoryReader {
 public:
  DirectoryReader(io::Files& files, FileSet& set, Diagnostics& out)
      : files_(files), set_(set), out_(out) {}

  void read(const std::string& folder, size_t depth) {
    std::string directory = folder.empty() ? set_.origin : set_.origin + "/" + folder;
    auto entries = files_.list(directory);
    if (!entries) return report(problems::unreadable, folder, entries.error().text());
    for (const io::DirEntry& entry : *entries) {
      if (entry.name.starts_with('.')) continue;
      std::string path = folder.empty() ? entry.name : folder + "/" + entry.name;
      if (entry.is_directory) {
        if (path == "target") continue;
        if (depth == FileSet::depth_max) {
          report(problems::too_large, path, "folders are nested too deeply");
        } else {
          read(path, depth + 1);
        }
      } else if (path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".sql")) {
        read_file(path);
      }
    }
  }

 private:
  void read_file(const std::string& path) {
    if (set_.texts.size() == FileSet::files_max) {
      return report(problems::too_large, path,
                    fmt::format("a project has at most {} files", FileSet::files_max));
    }
    std::string full = set_.origin + "/" + path;
    auto facts = files_.facts(full);
    if (facts && facts->size > FileSet::file_bytes_max) {
      return report(problems::too_large, path,
                    fmt::format("the file has {} bytes; {} is the most a project file may have",
                                facts->size, FileSet::file_bytes_max));
    }
    auto text = files_.read_all(full, FileSet::file_bytes_max);
    if (!text) return report(problems::unreadable, path, text.error().text());
    set_.texts.emplace(path, std::move(*text));
  }

  void report(const Problem& problem, const std::string& path, std::string sentence) {
    Position at;
    at.source = std::make_shared<Source>(Source{set_.name_of(path), {}});
    out_.add(problem, at, std::move(sentence));
  }

  io::Files& files_;
  FileSet& set_;
  Diagnostics& out_;
};

}  // namespace

std::string FileSet::name_of(const std::string& path) const {
  if (origin.empty()) return path;
  return path.empty() ? origin : origin + "/" + path;
}

FileSet read_directory(io::Files& files, const std::string& directory, Diagnostics& out) {
  FileSet set;
  set.origin = directory;
  while (set.origin.size() > 1 && set.origin.ends_with('/')) set.origin.pop_back();
  DirectoryReader(files, set, out).read("", 0);
  return set;
}

}  // namespace pinpipe::project
