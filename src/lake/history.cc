#include "lake/history.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <map>

#include "base/clock.h"
#include "lake/log_reader.h"
#include "lake/table.h"

namespace pinpipe::lake {
namespace {

io::Task<Result<std::map<Version, int64_t>>> read_commit_times(Table& table) {
  LogReader reader(table.services(), table.location());
  auto listing = co_await reader.list(0, LogReader::Times::yes);
  if (!listing) co_return listing.error();
  co_return commit_times(*listing);
}

// The first version whose commit tells its own time, if the table has such.
std::optional<Version> in_commit_times_from(const Snapshot& snapshot) {
  if (snapshot.property("delta.enableInCommitTimestamps", "false") != "true") return std::nullopt;
  auto text = snapshot.property("delta.inCommitTimestampEnablementVersion", "0");
  Version version = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

// The last version from `first` to `last` whose commit says that it was made by then. Such times
// rise.
io::Task<Result<std::optional<Version>>> search_commits(Table& table, Version first, Version last,
                                                        int64_t wall_ms) {
  LogReader reader(table.services(), table.location());
  std::optional<Version> found;
  while (first <= last) {
    Version middle = first + (last - first) / 2;
    auto commit = co_await reader.read_commit(middle);
    if (!commit) co_return commit.error();
    auto info = decode_commit_info(*commit ? (*commit)->actions.commit_info : "");
    if (!info) co_return info.error();
    if (!*commit) {  // log clean-up was faster
      first = middle + 1;
    } else if (!info->in_commit_ms) {
      co_return Error(Code::corrupt, fmt::format("{} has no inCommitTimestamp, which its table has",
                                                 table.location().commit_key(middle)));
    } else if (*info->in_commit_ms <= wall_ms) {
      found = middle;
      first = middle + 1;
    } else {
      last = middle - 1;
    }
  }
  co_return found;
}

}  // namespace

std::map<Version, int64_t> commit_times(const LogListing& listing) {
  std::map<Version, int64_t> times;
  int64_t last_ms = INT64_MIN;
  for (const auto& [version, modified_ms] : listing.commits) {
    int64_t at_ms = last_ms == INT64_MIN ? modified_ms : std::max(modified_ms, last_ms + 1);
    times[version] = at_ms;
    last_ms = at_ms;
  }
  return times;
}

io::Task<Result<std::vector<HistoryEntry>>> history(Table& table, size_t count_max) {
  auto times = co_await read_commit_times(table);
  if (!times) co_return times.error();
  LogReader reader(table.services(), table.location());
  std::vector<HistoryEntry> entries;
  for (auto at = times->rbegin(); at != times->rend() && entries.size() < count_max; ++at) {
    auto commit = co_await reader.read_commit(at->first);
    if (!commit) co_return commit.error();
    if (!*commit) continue;  // log clean-up was faster
    auto info = decode_commit_info((*commit)->actions.commit_info);
    if (!info) co_return info.error();
    int64_t at_ms = info->in_commit_ms.value_or(at->second);
    entries.push_back(
        HistoryEntry{.version = at->first, .committed_ms = at_ms, .info = std::move(*info)});
  }
  co_return entries;
}

io::Task<Result<Version>> version_at_time(Table& table, int64_t wall_ms) {
  auto times = co_await read_commit_times(table);
  if (!times) co_return times.error();
  if (times->empty()) co_return Error(Code::not_found, "the log has no commits");
  auto told_from = in_commit_times_from(*table.snapshot());
  if (told_from) {
    Version first = std::max(*told_from, times->begin()->first);
    auto told = co_await search_commits(table, first, times->rbegin()->first, wall_ms);
    if (!told) co_return told.error();
    if (*told) co_return **told;
  }
  std::optional<Version> found;
  for (const auto& [version, at_ms] : *times) {
    if (at_ms <= wall_ms && (!told_from || version < *told_from)) found = version;
  }
  if (!found) {
    co_return Error(Code::not_found,
                    fmt::format("the table's first version {} is of {}; there is none at {}",
                                times->begin()->first, to_rfc3339(times->begin()->second),
                                to_rfc3339(wall_ms)));
  }
  co_return *found;
}

}  // namespace pinpipe::lake
