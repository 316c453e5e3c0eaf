#include "app/rows_source.h"

#include <cstdlib>

#include "base/log_line.h"
#include "source/sqlite.h"

namespace pinpipe::app {
namespace {

std::string embedded_path(const std::string& data_path) {
  return data_path + "/source.db";
}

Result<source::Address> address_of(const std::string& text) {
  auto address = source::read_address(text, io::posix_files(), environment_value);
  if (address && !address->password.empty()) redact_in_logs(address->password);
  return address;
}

}  // namespace

std::optional<std::string> environment_value(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Result<source::Address> source_wanted(const std::string& given, bool generated_rows,
                                      const project::Project& project,
                                      const std::string& data_path) {
  if (!given.empty()) return address_of(given);
  if (generated_rows) return source::Address{};
  if (auto named = environment_value("PINPIPE_SOURCE"); named && !named->empty()) {
    auto address = address_of(*named);
    return address ? address : address.error().with("PINPIPE_SOURCE");
  }
  if (!project.source.empty()) {
    auto address = address_of(project.source);
    return address ? address : address.error().with("source: in pinpipe.yaml");
  }
  // Until somebody makes or asks for the file the generator gives the very rows it would hold.
  if (!io::posix_files().exists(embedded_path(data_path))) return source::Address{};
  return source::Address{.kind = source::Address::Kind::sqlite, .path = embedded_path(data_path)};
}

Result<std::string> embedded_source_file(const project::Project& project,
                                         const std::string& data_path) {
  std::string path = embedded_path(data_path);
  if (!project.source.empty()) {
    auto address = address_of(project.source);
    if (address && address->kind == source::Address::Kind::sqlite) path = address->path;
  }
  auto opened = source::SqliteSource::open_or_create(io::posix_files(), path, {});
  if (!opened) return opened.error();
  return path;
}

}  // namespace pinpipe::app
