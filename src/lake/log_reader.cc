#include "lake/log_reader.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/log_line.h"
#include "io/files.h"
#include "io/scope.h"
#include "lake/checkpoint.h"
#include "lake/checkpoint_rows.h"
#include "lake/checksum.h"

namespace pinpipe::lake {
namespace {

// A local store reads its whole directory for every page, so a page is large; remote stores give
// what they give.
constexpr size_t names_at_once = 20'000;

// Parts by (version, number of parts); whole when all of them are there.
using Parts = std::map<std::pair<Version, int>, std::map<int, objects::ObjectFacts>>;

void add_to_listing(LogListing& listing, Parts& parts, const objects::ObjectFacts& object,
                    std::string_view name) {
  auto parsed = parse_log_name(name);
  if (!parsed) return;
  listing.keys.push_back(object.key);
  auto bytes = static_cast<int64_t>(object.size);
  switch (parsed->kind) {
    case LogName::Kind::commit:
      listing.commits[parsed->version] = {.modified_ms = object.modified_ms, .bytes = bytes};
      break;
    case LogName::Kind::checkpoint:
      listing.checkpoints.push_back(
          {.version = parsed->version, .keys = {object.key}, .bytes = bytes});
      break;
    case LogName::Kind::checkpoint_part:
      parts[{parsed->version, parsed->parts}][parsed->part] = object;
      break;
    case LogName::Kind::checkpoint_v2:
      listing.checkpoints.push_back({.version = parsed->version,
                                     .keys = {object.key},
                                     .bytes = bytes,
                                     .is_json = parsed->is_json});
      break;
    case LogName::Kind::checksum:
      listing.checksums.insert(parsed->version);
      break;
    case LogName::Kind::compacted: {
      Version& last = listing.compacted[parsed->version];
      last = std::max(last, parsed->last);
      break;
    }
  }
}

void add_whole_parts(LogListing& listing, const Parts& parts) {
  for (const auto& [id, objects] : parts) {
    if (objects.size() != static_cast<size_t>(id.second)) continue;
    LogListing::Checkpoint checkpoint{.version = id.first, .keys = {}};
    for (const auto& [number, object] : objects) {
      checkpoint.keys.push_back(object.key);
      checkpoint.bytes += static_cast<int64_t>(object.size);
    }
    listing.checkpoints.push_back(std::move(checkpoint));
  }
  std::ranges::sort(listing.checkpoints, {}, &LogListing::Checkpoint::version);
}

io::Task<> fetch_into(objects::Store& store, std::string bucket, std::string key,
                      Result<std::string>& slot) {
  slot = co_await store.get(std::move(bucket), std::move(key));
}

}  // namespace

std::optional<Version> LogListing::newest() const {
  std::optional<Version> version;
  if (!commits.empty()) version = commits.rbegin()->first;
  if (!checkpoints.empty()) {
    version = std::max(version.value_or(-1), checkpoints.back().version);
  }
  return version;
}

io::Task<Result<LogListing>> LogReader::list(Version first) {
  LogListing listing;
  Parts parts;
  std::string directory = location_.log_directory();
  objects::ListQuery query;
  query.prefix = directory;
  query.count_max = names_at_once;
  // The bare number sorts before every file of that version.
  query.after = fmt::format("{}{:020}", directory, first);
  while (true) {
    auto page = co_await services_.store.list(location_.bucket, query);
    if (!page) co_return std::move(page.error()).with(location_.text());
    for (const objects::ObjectFacts& object : page->objects) {
      add_to_listing(listing, parts, object, std::string_view(object.key).substr(directory.size()));
    }
    if (!page->truncated) break;
    query.after = page->next_after;
  }
  add_whole_parts(listing, parts);
  co_return listing;
}

io::Task<Result<LogListing>> LogReader::list_from_hint(std::optional<Version> version) {
  auto text = co_await services_.store.get(location_.bucket, location_.last_checkpoint_key());
  auto hint = text ? parse_last_checkpoint(*text) : std::nullopt;
  if (!hint || hint->version == 0 || (version && *version < hint->version)) {
    co_return co_await list(0);
  }
  auto listing = co_await list(hint->version);
  if (!listing) co_return listing;
  bool is_there = !listing->checkpoints.empty();
  if (is_there) co_return listing;
  co_return co_await list(0);
}

// Applies the files' actions. Gives the sidecar files that they name.
io::Task<Result<std::vector<std::string>>> LogReader::read_checkpoint_files(
    std::span<const std::string> keys, bool is_json, SnapshotPtr into) {
  std::vector<std::string> sidecars;
  for (const std::string& key : keys) {
    auto file = co_await services_.store.materialize(location_.bucket, key);
    if (!file) co_return std::move(file.error()).with(key);
    auto apply = [&](Actions actions) -> Status {
      for (std::string& name : actions.sidecars) sidecars.push_back(std::move(name));
      return into->apply_checkpoint_rows(std::move(actions));
    };
    auto work = [&]() -> Status {
      if (!is_json) {
        auto opened = io::posix_files().open(file->path, io::OpenMode::read);
        return opened ? read_checkpoint_rows(**opened, apply) : opened.error();
      }
      auto bytes = io::posix_files().read_all(file->path);
      if (!bytes) return bytes.error();
      codec::JsonScanner scanner;
      auto actions = decode_commit(scanner, *bytes);
      if (!actions) return actions.error();
      return apply(std::move(*actions));
    };
    Status read = co_await services_.work.run(work);
    if (!read) co_return std::move(read.error()).with(key);
  }
  co_return sidecars;
}

io::Task<Result<LogReader::SnapshotPtr>> LogReader::read_one_checkpoint(
    LogListing::Checkpoint checkpoint) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->begin_checkpoint(checkpoint.version);
  auto sidecars = co_await read_checkpoint_files(checkpoint.keys, checkpoint.is_json, snapshot);
  if (!sidecars) co_return sidecars.error();
  std::vector<std::string> keys;
  for (const std::string& path : *sidecars) {
    // Always in the log's own folder, whatever folders the path names.
    auto plain = decode_path(std::string_view(path).substr(path.rfind('/') + 1));
    if (!plain) co_return plain.error().with(checkpoint.keys[0]);
    keys.push_back(location_.sidecar_key(*plain));
  }
  auto nested = co_await read_checkpoint_files(keys, false, snapshot);
  if (!nested) co_return nested.error();
  if (!nested->empty()) {
    co_return Error(Code::corrupt, "a sidecar file names sidecar files").with(checkpoint.keys[0]);
  }
  if (snapshot->protocol().min_reader_version == 0 || snapshot->schema().fields.empty()) {
    co_return Error(Code::corrupt, "the checkpoint has no protocol or no metaData")
        .with(checkpoint.keys[0]);
  }
  snapshot->set_checkpoint(checkpoint.version, checkpoint.bytes);
  co_return snapshot;
}

io::Task<Result<LogReader::SnapshotPtr>> LogReader::read_newest_checkpoint(
    const LogListing& listing, Version target) {
  for (auto at = listing.checkpoints.rbegin(); at != listing.checkpoints.rend(); ++at) {
    if (at->version > target) continue;
    auto snapshot = co_await read_one_checkpoint(*at);
    if (snapshot) {
      Status agrees = co_await check_checksum(**snapshot, listing);
      if (agrees) co_return snapshot;
      snapshot = agrees.error().with(at->keys[0]);
    }
    // An older one, or the commits themselves, may still tell everything; unless it is we who lack
    // something.
    if (snapshot.error().code() != Code::corrupt && snapshot.error().code() != Code::not_found) {
      co_return snapshot;
    }
    log_warn("lake", "a checkpoint cannot be read; trying an older one",
             {{"reason", snapshot.error().text()}});
  }
  co_return std::make_shared<Snapshot>();
}

// What the writer of that version counted, if it left it and has not been cleaned away.
io::Task<Status> LogReader::check_checksum(const Snapshot& snapshot, const LogListing& listing) {
  if (!listing.checksums.contains(snapshot.version())) co_return Status{};
  std::string key = location_.checksum_key(snapshot.version());
  auto json = co_await services_.store.get(location_.bucket, key);
  if (!json) co_return json.error().code() == Code::not_found ? Status{} : Status(json.error());
  Status agrees = check_against(snapshot, *json);
  co_return agrees ? agrees : agrees.error().with(key);
}

io::Task<Result<std::shared_ptr<const Snapshot>>> LogReader::load(std::optional<Version> version) {
  auto listing = co_await list_from_hint(version);
  if (!listing) co_return listing.error();
  auto newest = listing->newest();
  if (!newest) {
    co_return Error(Code::not_found,
                    fmt::format("there is no Delta table at {}", location_.text()));
  }
  if (version && (*version > *newest || *version < 0)) {
    co_return Error(Code::not_found, fmt::format("{} has versions up to {}, not {}",
                                                 location_.text(), *newest, *version));
  }
  Version target = version.value_or(*newest);
  auto snapshot = co_await read_newest_checkpoint(*listing, target);
  if (!snapshot) co_return snapshot.error();
  if ((*snapshot)->version() < 0 && listing->commits.begin()->first > 0) {
    // The hint hid what lies before it.
    listing = co_await list(0);
    if (!listing) co_return listing.error();
    snapshot = co_await read_newest_checkpoint(*listing, target);
    if (!snapshot) co_return snapshot.error();
  }
  for (Version next = (*snapshot)->version() + 1; next <= target; ++next) {
    if (listing->commits.contains(next)) continue;
    auto compacted = listing->compacted.find(next);
    if (compacted != listing->compacted.end() && compacted->second <= target) {
      next = compacted->second;
      continue;
    }
    Code code = version ? Code::not_found : Code::corrupt;
    co_return Error(code, fmt::format("{}: version {} cannot be read: commit {} is missing",
                                      location_.text(), target, next));
  }
  auto applied = co_await apply_commits(*snapshot, *listing, target);
  if (applied) applied = co_await check_checksum(**snapshot, *listing);
  if (!applied) co_return applied.error();
  auto readable = (*snapshot)->check_readable();
  if (!readable) co_return readable.error().with(location_.text());
  std::shared_ptr<const Snapshot> done = std::move(*snapshot);
  if (version) co_return done;
  // A listing may lag behind what is readable by name.
  co_return co_await advance(std::move(done));
}

io::Task<> LogReader::fetch_commits(Version first, size_t count, Fetched& into) {
  into.assign(count, Result<std::string>(std::string()));
  io::Scope scope(io::Loop::current());
  for (size_t i = 0; i < count; ++i) {
    scope.spawn("read a commit", fetch_into(services_.store, location_.bucket,
                                            name_of(first + static_cast<Version>(i)), into[i]));
  }
  co_await scope.join();
}

Status LogReader::apply_now(Snapshot& snapshot, Fetched& fetched) {
  codec::JsonScanner scanner;
  for (Result<std::string>& bytes : fetched) {
    Version version = snapshot.version() + 1;
    if (!bytes) return std::move(bytes.error()).with(name_of(version));
    auto actions = decode_commit(scanner, *bytes);
    if (!actions) return std::move(actions.error()).with(name_of(version));
    auto applied = snapshot.apply_commit(version, std::move(*actions), bytes->size());
    if (!applied) return applied.error().with(name_of(version));
    bytes->clear();
  }
  return {};
}

io::Task<> LogReader::apply_fetched(Snapshot& snapshot, Fetched& fetched, Status& applied) {
  applied = co_await services_.work.run([&] { return apply_now(snapshot, fetched); });
}

// The commits from `first` up to before `end`. While some are understood, the next are fetched.
io::Task<Status> LogReader::apply_range(SnapshotPtr snapshot, Version first, Version end) {
  Fetched now;
  Fetched next;
  Status applied;
  while (applied && (first < end || !now.empty())) {
    io::Scope scope(io::Loop::current());
    size_t count = std::min(static_cast<size_t>(end - first), commits_at_once);
    if (count > 0) scope.spawn("read commits", fetch_commits(first, count, next));
    if (!now.empty()) scope.spawn("apply commits", apply_fetched(*snapshot, now, applied));
    co_await scope.join();
    first += static_cast<Version>(count);
    now = std::exchange(next, {});
  }
  co_return applied;
}

// A compaction only saves time as long as its commits are there too: false when it is of no use.
io::Task<bool> LogReader::apply_compaction(SnapshotPtr snapshot, Version last) {
  std::string key = location_.key(
      fmt::format("_delta_log/{:020}.{:020}.compacted.json", snapshot->version() + 1, last));
  auto bytes = co_await services_.store.get(location_.bucket, key);
  Status applied = bytes ? Status{} : Status(bytes.error());
  auto work = [&]() -> Status {
    codec::JsonScanner scanner;
    auto actions = decode_commit(scanner, *bytes);
    if (!actions) return actions.error();
    // On a copy: half of a compaction must not be left in the snapshot.
    Snapshot next = *snapshot;
    Status done = next.apply_compacted(last, std::move(*actions), bytes->size());
    if (done) *snapshot = std::move(next);
    return done;
  };
  if (applied) applied = co_await services_.work.run(work);
  if (applied) co_return true;
  log_warn("lake", "a compaction of the log cannot be read; reading its commits",
           {{"file", key}, {"reason", applied.error().text()}});
  co_return false;
}

io::Task<Status> LogReader::apply_commits(SnapshotPtr snapshot, LogListing listing, Version last) {
  while (snapshot->version() < last) {
    Version next = snapshot->version() + 1;
    auto compacted = listing.compacted.lower_bound(next);
    bool is_here = compacted != listing.compacted.end() && compacted->first == next;
    if (is_here && compacted->second <= last) {
      if (co_await apply_compaction(snapshot, compacted->second)) continue;
    }
    if (is_here) {
      listing.compacted.erase(compacted);
      continue;
    }
    Version end = compacted == listing.compacted.end() ? last + 1 : compacted->first;
    Status applied = co_await apply_range(snapshot, next, std::min(end, last + 1));
    if (!applied) co_return applied;
  }
  co_return Status{};
}

io::Task<Result<std::optional<ReadCommit>>> LogReader::read_commit(Version version) {
  auto bytes = co_await services_.store.get(location_.bucket, name_of(version));
  if (!bytes) {
    if (bytes.error().code() == Code::not_found) co_return std::optional<ReadCommit>();
    co_return std::move(bytes.error()).with(name_of(version));
  }
  codec::JsonScanner scanner;
  auto actions = decode_commit(scanner, *bytes);
  if (!actions) co_return std::move(actions.error()).with(name_of(version));
  ReadCommit commit{.actions = std::move(*actions), .bytes = std::move(*bytes)};
  co_return std::optional<ReadCommit>(std::move(commit));
}

io::Task<Result<std::shared_ptr<const Snapshot>>> LogReader::advance(
    std::shared_ptr<const Snapshot> snapshot) {
  std::shared_ptr<Snapshot> next;
  Version version = snapshot->version();
  while (true) {
    auto commit = co_await read_commit(version + 1);
    if (!commit) co_return commit.error();
    if (!*commit) break;
    if (!next) next = std::make_shared<Snapshot>(*snapshot);
    ++version;
    auto applied =
        next->apply_commit(version, std::move((*commit)->actions), (*commit)->bytes.size());
    if (!applied) co_return applied.error().with(name_of(version));
  }
  if (!next) co_return snapshot;
  auto readable = next->check_readable();
  if (!readable) co_return readable.error().with(location_.text());
  co_return std::shared_ptr<const Snapshot>(std::move(next));
}

}  // namespace pinpipe::lake
