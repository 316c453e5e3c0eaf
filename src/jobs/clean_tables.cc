#include "jobs/clean_tables.h"

#include <set>

#include "codec/json.h"

namespace pinpipe::jobs {

using codec::Json;

CleanTables::CleanTables(io::Files& files, std::string directory)
    : files_(files), directory_(std::move(directory)) {}

Result<CleanTable> CleanTables::write(sql::Connection& connection, const std::string& dataset,
                                      const std::string& run) {
  if (Status made = files_.make_directories(directory_); !made) return made.error();
  std::string path = directory_ + "/" + dataset + "-" + run + ".parquet";
  auto written = connection.copy_to_parquet(
      "SELECT * FROM " + sql::TableName{"clean", dataset}.quoted(), path);
  if (!written) return written.error();
  auto file = files_.open(path, io::OpenMode::write);
  if (!file) return file.error();
  if (Status synced = (*file)->sync(); !synced) return synced.error();
  return CleanTable{.dataset = dataset, .files = {path}, .rows = written->rows};
}

Status CleanTables::publish(const Publication& publication) {
  auto before = current();
  if (!before) return before.error();
  Json tables = Json::array();
  for (const CleanTable& table : publication.tables) {
    Json paths = Json::array();
    for (const std::string& path : table.files) paths.push(path.substr(directory_.size() + 1));
    tables.push(Json::object(
        {{"dataset", table.dataset}, {"files", std::move(paths)}, {"rows", table.rows}}));
  }
  Json all = Json::object({{"run", publication.run}, {"tables", std::move(tables)}});
  // The names must be durable before the pointer that names them.
  if (Status synced = files_.sync_directory(directory_); !synced) return synced;
  if (Status done = files_.replace(pointer(), codec::to_json_pretty(all) + "\n"); !done)
    return done;
  remove_unused(publication, *before);
  return {};
}

Result<Publication> CleanTables::current() {
  auto text = files_.read_all(pointer());
  if (!text) {
    if (text.error().code() == Code::not_found) return Publication{};
    return text.error();
  }
  auto json = codec::parse_json(*text);
  if (!json) return Error(Code::corrupt, json.error().text()).with(pointer());
  Publication publication{.run = std::string((*json)["run"].as_string().value_or("")),
                          .tables = {}};
  for (const Json& table : (*json)["tables"].elements()) {
    CleanTable one{.dataset = std::string(table["dataset"].as_string().value_or("")),
                   .files = {},
                   .rows = table["rows"].as_int().value_or(0)};
    for (const Json& name : table["files"].elements())
      one.files.push_back(directory_ + "/" + std::string(name.as_string().value_or("")));
    publication.tables.push_back(std::move(one));
  }
  return publication;
}

void CleanTables::remove_unused(const Publication& now, const Publication& before) {
  std::set<std::string> used;
  for (const Publication* publication : {&now, &before}) {
    for (const CleanTable& table : publication->tables)
      used.insert(table.files.begin(), table.files.end());
  }
  auto entries = files_.list(directory_);
  if (!entries) return;
  for (const io::DirEntry& entry : *entries) {
    std::string path = directory_ + "/" + entry.name;
    if (entry.name.ends_with(".parquet") && !used.contains(path)) (void)files_.remove(path);
  }
}

}  // namespace pinpipe::jobs
