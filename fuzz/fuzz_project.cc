// Any bytes as a project's files: the reader reports or accepts, keeps its bounds, and what it
// reports can be shown.
#include <string_view>

#include "base/check.h"
#include "project/load.h"

using namespace pinpipe;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  project::FileSet files;
  // The files are separated by zero bytes.
  for (const char* path :
       {"pinpipe.yaml", "datasets/a.yaml", "dags/a.yaml", "sql/queries/q1.sql"}) {
    std::string_view text = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), text.size() + 1));
    files.texts[path] = text;
  }
  project::LoadOptions options;
  options.environment = nullptr;
  project::Loaded loaded = project::load(files, options);
  CHECK(loaded.project.has_value() == loaded.diagnostics.empty(), "all is well or said");
  CHECK(loaded.diagnostics.size() <= project::Diagnostics::diagnostics_max + 1,
        "reports are bounded");
  (void)project::render(loaded.diagnostics);
  return 0;
}
