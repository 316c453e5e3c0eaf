#include "sql/library.h"

#include <cstdlib>
#include <dlfcn.h>
#include <link.h>
#include <mutex>
#include <optional>
#include <string>
#include <unistd.h>
#include <vector>

#include "base/check.h"
#include "sql/memory_fence.h"

namespace pinpipe::sql {
namespace {

std::string program_directory() {
  std::string path(4096, '\0');
  ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0) return ".";
  path.resize(static_cast<size_t>(length));
  return path.substr(0, path.rfind('/'));
}

// Puts the library's own code behind the fence; see memory_fence.h.
void enclose_code_of(void* handle) {
  link_map* library = nullptr;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &library) != 0) return;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* wanted) {
        auto* map = static_cast<link_map*>(wanted);
        if (info->dlpi_addr != map->l_addr) return 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& segment = info->dlpi_phdr[i];
          if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
          MemoryFence::enclose(reinterpret_cast<const void*>(info->dlpi_addr + segment.p_vaddr),
                               segment.p_memsz);
        }
        return 1;
      },
      library);
}

Result<Library> load_first() {
  if (const char* named = std::getenv("PINPIPE_LIBDUCKDB"); named != nullptr && *named != '\0') {
    return load_library_at(named);
  }
  std::string beside = program_directory();
  const std::vector<std::string> places = {beside + "/libduckdb.so",
                                           beside + "/../lib/pinpipe/libduckdb.so",
                                           PINPIPE_LIBDUCKDB_BUILT_WITH};
  std::string tried;
  for (const std::string& place : places) {
    // A file that is there but wrong is an error to report, not a reason to look further.
    if (access(place.c_str(), F_OK) == 0) return load_library_at(place.c_str());
    tried += "\n  " + place;
  }
  return Error(Code::unavailable,
               "cannot find libduckdb.so, which SQL needs; looked for" + tried +
                   "\nSet PINPIPE_LIBDUCKDB to it, or run tools/fetch_duckdb in the source tree");
}

const Library* loaded = nullptr;

}  // namespace

Result<Library> load_library_at(const char* path) {
  void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    return Error(Code::unavailable,
                 "cannot load libduckdb: " + std::string(reason ? reason : path));
  }
  Library library;
  const char* missing = nullptr;
#define PINPIPE_DUCKDB_RESOLVE(name)                                                       \
  library.name = reinterpret_cast<decltype(library.name)>(dlsym(handle, "duckdb_" #name)); \
  if (library.name == nullptr) missing = "duckdb_" #name;
  PINPIPE_DUCKDB_FUNCTIONS(PINPIPE_DUCKDB_RESOLVE)
#undef PINPIPE_DUCKDB_RESOLVE
  std::string_view found =
      library.library_version == nullptr ? "another library" : library.library_version();
  if (found != Library::version_wanted) {
    return Error(Code::unavailable, std::string(path) + " is " + std::string(found) +
                                        ", pinpipe needs libduckdb " +
                                        std::string(Library::version_wanted));
  }
  if (missing != nullptr) {
    return Error(Code::unavailable, std::string(path) + " lacks " + std::string(missing));
  }
  enclose_code_of(handle);
  return library;
}

Result<const Library*> load_library() {
  static std::once_flag once;
  static std::optional<Result<Library>> first;
  std::call_once(once, [] {
    first = load_first();
    if (*first) loaded = &**first;
  });
  if (!*first) return first->error();
  return loaded;
}

const Library& library() {
  CHECK(loaded != nullptr, "libduckdb is loaded before it is used");
  return *loaded;
}

}  // namespace pinpipe::sql
