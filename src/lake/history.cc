#include "lake/history.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "base/clock.h"
#include "lake/log_reader.h"
#include "lake/table.h"

namespace pinpipe::lake {
namespace {

io::Task<Result<std::map<Version, int64_t>>> read_commit_times(Table& table) {
  LogReader reader(table.services(), table.location());
  auto listing = co_await reader.list(0);
  if (!listing) co_return listing.error();
  co_return commit_times(*listing);
}

}  // namespace

std::map<Version, int64_t> commit_times(const LogListing& listing) {
  std::map<Version, int64_t> times;
  int64_t last_ms = INT64_MIN;
  for (const auto& [version, commit] : listing.commits) {
    int64_t at_ms =
        last_ms == INT64_MIN ? commit.modified_ms : std::max(commit.modified_ms, last_ms + 1);
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
  std::optional<Version> found;
  for (const auto& [version, at_ms] : *times) {
    if (at_ms <= wall_ms) found = version;
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
