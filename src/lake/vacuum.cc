#include "lake/vacuum.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

#include "codec/json_scan.h"
#include "lake/history.h"

namespace pinpipe::lake {
namespace {

constexpr int64_t day_ms = 86'400'000;
constexpr size_t names_at_once = 20'000;

struct Candidate {
  std::string path;  // relative
  int64_t bytes = 0;
  int64_t modified_ms = 0;
};

// Names that begin with a dot or an underscore, also of folders, are never data.
bool is_hidden(std::string_view path) {
  while (!path.empty()) {
    if (path[0] == '.' || path[0] == '_') return true;
    size_t slash = path.find('/');
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
  return false;
}

io::Task<Result<std::vector<Candidate>>> list_data(Table& table) {
  std::vector<Candidate> files;
  objects::ListQuery query;
  query.prefix = table.location().key("");
  query.count_max = names_at_once;
  while (true) {
    auto page = co_await table.services().store.list(table.location().bucket, query);
    if (!page) co_return page.error();
    for (const objects::ObjectFacts& object : page->objects) {
      std::string path = object.key.substr(query.prefix.size());
      if (is_hidden(path)) continue;
      files.push_back(Candidate{.path = std::move(path),
                                .bytes = static_cast<int64_t>(object.size),
                                .modified_ms = object.modified_ms});
    }
    if (!page->truncated) break;
    query.after = page->next_after;
  }
  co_return files;
}

Result<int64_t> retention_of(const Snapshot& snapshot, const VacuumOptions& options) {
  auto own =
      parse_interval_ms(snapshot.property("delta.deletedFileRetentionDuration", "interval 7 days"));
  int64_t own_ms = own.value_or(7 * day_ms);
  if (!options.retention_ms) return own_ms;
  if (*options.retention_ms < 0) return Error(Code::invalid, "a retention is not negative");
  if (*options.retention_ms < own_ms && !options.allow_short_retention) {
    return Error(Code::invalid,
                 fmt::format("a retention of {} h is shorter than the table's {} h: readers of "
                             "former versions, and time travel, would lose their files; "
                             "`pinpipe table vacuum --force` does it all the same",
                             *options.retention_ms / 3'600'000, own_ms / 3'600'000));
  }
  return *options.retention_ms;
}

// Paths as they are on disk.
struct Known {
  std::unordered_set<std::string> live;
  std::unordered_map<std::string, int64_t> removed_ms;
};

Result<Known> known_files(const Snapshot& snapshot) {
  Known known;
  for (const FilePtr& file : snapshot.files()) {
    auto path = decode_path(file->path);
    if (!path) return path.error();
    known.live.insert(std::move(*path));
  }
  Status all_read;
  codec::JsonScanner scanner;
  snapshot.tombstones().each([&](const Tombstones::Line& line) {
    Actions removed;
    if (all_read) all_read = decode_line(scanner, line.text, removed);
    for (const RemoveFile& remove : removed.removes) {
      auto path = decode_path(remove.path);
      if (!path) all_read = path.error();
      if (!path) return;
      int64_t& at_ms = known.removed_ms[std::move(*path)];
      at_ms = std::max(at_ms, line.deleted_ms);
    }
  });
  if (!all_read) return all_read.error();
  return known;
}

bool is_garbage(const Candidate& file, const Known& known, int64_t now_ms, int64_t retention_ms) {
  if (known.live.contains(file.path)) return false;
  auto removed = known.removed_ms.find(file.path);
  if (removed != known.removed_ms.end()) return removed->second <= now_ms - retention_ms;
  return file.modified_ms < now_ms - std::max(retention_ms, write_to_commit_max_ms);
}

}  // namespace

io::Task<Result<VacuumOutcome>> vacuum(Table& table, VacuumOptions options) {
  // Listed first: what is committed after that is not in the list, or is live in the snapshot.
  auto files = co_await list_data(table);
  if (!files) co_return files.error();
  auto snapshot = co_await table.refresh();
  if (!snapshot) co_return snapshot.error();
  if (auto writable = (*snapshot)->check_writable(); !writable) co_return writable.error();
  auto retention_ms = retention_of(**snapshot, options);
  if (!retention_ms) co_return retention_ms.error();
  auto known = known_files(**snapshot);
  if (!known) co_return known.error();
  VacuumOutcome outcome;
  for (const Candidate& file : *files) {
    if (!is_garbage(file, *known, table.services().clock.wall_ms(), *retention_ms)) continue;
    if (!options.dry_run) {
      auto removed = co_await table.services().store.remove(table.location().bucket,
                                                            table.location().key(file.path));
      if (!removed) co_return removed.error().with(file.path);
    }
    outcome.files.push_back(file.path);
    outcome.bytes += file.bytes;
  }
  co_return outcome;
}

io::Task<Result<int64_t>> clean_log(Table& table) {
  auto snapshot = table.snapshot();
  if (snapshot->property("delta.enableExpiredLogCleanup", "true") != "true") co_return 0;
  auto retention =
      parse_interval_ms(snapshot->property("delta.logRetentionDuration", "interval 30 days"));
  int64_t oldest_ms = table.services().clock.wall_ms() - retention.value_or(30 * day_ms);
  LogReader reader(table.services(), table.location());
  auto listing = co_await reader.list(0, LogReader::Times::yes);
  if (!listing) co_return listing.error();
  // The first version that must stay readable; the checkpoint it is read from lies at or before it.
  Version first_kept = snapshot->version();
  for (const auto& [version, at_ms] : commit_times(*listing)) {
    if (at_ms < oldest_ms) continue;
    first_kept = version;
    break;
  }
  Version cut = 0;
  for (const LogListing::Checkpoint& checkpoint : listing->checkpoints) {
    if (checkpoint.version <= first_kept) cut = std::max(cut, checkpoint.version);
  }
  int64_t count = 0;
  for (const std::string& key : listing->keys) {
    auto name = parse_log_name(key.substr(table.location().log_directory().size()));
    if (!name || name->version >= cut || name->last >= cut) continue;
    auto removed = co_await table.services().store.remove(table.location().bucket, key);
    if (!removed) co_return removed.error().with(key);
    ++count;
  }
  co_return count;
}

}  // namespace pinpipe::lake
