#include "app/key_table.h"

#include <cerrno>
#include <sys/stat.h>

#include "base/clock.h"
#include "io/files.h"
#include "io/scope.h"
#include "objects/directory_store.h"
#include "sql/engine.h"

namespace pinpipe::app {
namespace {

std::string without_slash(std::string directory) {
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  return directory;
}

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

KeyTable::KeyTable(std::string directory, io::Runtime& runtime, lake::Connect connect)
    : directory_(without_slash(std::move(directory))),
      runtime_(runtime),
      location_{.bucket = last_part(directory_), .prefix = {}},
      store_(std::make_unique<objects::DirectoryStore>(
          objects::LocalOptions{.root = io::parent_directory(directory_)}, runtime.disk())),
      services_{.store = *store_,
                .work = runtime.work(),
                .clock = system_clock(),
                .connect = std::move(connect)} {}

KeyTable::~KeyTable() = default;

// Before anything is in it: no moment in which others may read.
Status KeyTable::make_private() {
  std::string parent = io::parent_directory(directory_);
  if (Status made = io::posix_files().make_directories(parent); !made) return made;
  if (::chmod(parent.c_str(), S_IRWXU) != 0)
    return error_of_errno(errno, "keep " + parent + " private");
  return {};
}

io::Task<Result<lake::Version>> KeyTable::write(std::vector<auth::Credential> keys) {
  Status made = co_await runtime_.disk().run([this] { return make_private(); });
  if (made) made = co_await store_->create_bucket(location_.bucket);
  if (!made && made.error().code() != Code::conflict) co_return made.error();
  co_return co_await lake::write_credentials(services_, location_, std::move(keys));
}

io::Task<Result<std::vector<auth::Credential>>> KeyTable::read() {
  co_return co_await lake::read_credentials(services_, location_);
}

Result<auth::Credential> first_key_of(const std::string& directory, const std::string& temp_root) {
  io::Runtime runtime({.loops = 1, .disk_threads = 1, .work_threads = 1});
  auto connect = [&temp_root]() -> Result<std::unique_ptr<sql::Connection>> {
    auto engine =
        sql::Engine::open({.threads = 1, .temp_root = temp_root, .readable_directories = {}});
    if (!engine) return engine.error();
    return (*engine)->connect();
  };
  KeyTable table(directory, runtime, connect);
  auto keys = io::wait_on(runtime.loop(0), table.read());
  if (!keys) return keys.error();
  return std::move(keys->front());
}

}  // namespace pinpipe::app
