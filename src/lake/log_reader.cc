#include "lake/log_reader.h"

#include <algorithm>
#include <fmt/format.h>

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
using Parts = std::map<std::pair<Version, int>, std::map<int, std::string>>;

void add_to_listing(LogListing& listing, Parts& parts, const objects::ObjectFacts& object,
                    std::string_view name) {
  auto parsed = parse_log_name(name);
  if (!parsed) return;
  listing.keys.push_back(object.key);
  switch (parsed->kind) {
    case LogName::Kind::commit:
      // They come in order, so the end is the place.
      listing.commits.insert_or_assign(listing.commits.end(), parsed->version, object.modified_ms);
      break;
    case LogName::Kind::checkpoint:
      listing.checkpoints.push_back({.version = parsed->version, .keys = {object.key}});
      break;
    case LogName::Kind::checkpoint_part:
      parts[{parsed->version, parsed->parts}][parsed->part] = object.key;
      break;
    case LogName::Kind::checkpoint_v2:
      listing.checkpoints.push_back(
          {.version = parsed->version, .keys = {object.key}, .is_json = parsed->is_json});
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
  for (const auto& [id, keys] : parts) {
    if (keys.size() != static_cast<size_t>(id.second)) continue;
    LogListing::Checkpoint checkpoint{.version = id.first, .keys = {}};
    for (const auto& [number, key] : keys) checkpoint.keys.push_back(key);
    listing.checkpoints.push_back(std::move(checkpoint));
  }
  std::ranges::sort(listing.checkpoints, {}, &LogListing::Checkpoint::version);
}

}  // namespace

// Commits that follow each other, read and decoded by one thread.
struct LogReader::Portion {
  Version first = 0;
  size_t count = 0;
  std::vector<Actions> commits = {};
  std::vector<size_t> bytes = {};  // of each
  Status read = {};                // of the one behind these, if it is an error
};

std::optional<Version> LogListing::newest() const {
  std::optional<Version> version;
  if (!commits.empty()) version = commits.rbegin()->first;
  if (!checkpoints.empty()) {
    version = std::max(version.value_or(-1), checkpoints.back().version);
  }
  return version;
}

io::Task<Result<LogListing>> LogReader::list(Version first, Times times) {
  LogListing listing;
  Parts parts;
  std::string directory = location_.log_directory();
  objects::ListQuery query;
  query.prefix = directory;
  query.count_max = names_at_once;
  query.keys_only = times == Times::no;
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
    co_return co_await list(0, Times::no);
  }
  auto listing = co_await list(hint->version, Times::no);
  if (!listing) co_return listing;
  bool is_there = !listing->checkpoints.empty();
  if (is_there) co_return listing;
  co_return co_await list(0, Times::no);
}

io::Task<Result<LogReader::CheckpointFiles>> LogReader::read_checkpoint_files(
    std::span<const std::string> keys, bool is_json, SnapshotPtr into) {
  CheckpointFiles files;
  for (const std::string& key : keys) {
    auto pinned = co_await services_.store.materialize(location_.bucket, key);
    if (!pinned) co_return std::move(pinned.error()).with(key);
    auto apply = [&](Actions actions) -> Status {
      for (std::string& name : actions.sidecars) files.sidecars.push_back(std::move(name));
      return into->apply_checkpoint_rows(std::move(actions));
    };
    auto work = [&]() -> Status {
      auto file = io::posix_files().open(pinned->path, io::OpenMode::read);
      if (!file) return file.error();
      auto size = (*file)->size();
      if (!size) return size.error();
      files.bytes += static_cast<int64_t>(*size);
      if (!is_json) return read_checkpoint_rows(**file, apply);
      auto bytes = io::posix_files().read_all(pinned->path);
      if (!bytes) return bytes.error();
      codec::JsonScanner scanner;
      auto actions = decode_commit(scanner, *bytes);
      if (!actions) return actions.error();
      return apply(std::move(*actions));
    };
    Status read = co_await services_.work.run(work);
    if (!read) co_return std::move(read.error()).with(key);
  }
  co_return files;
}

io::Task<Result<LogReader::SnapshotPtr>> LogReader::read_one_checkpoint(
    LogListing::Checkpoint checkpoint) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->begin_checkpoint(checkpoint.version);
  auto own = co_await read_checkpoint_files(checkpoint.keys, checkpoint.is_json, snapshot);
  if (!own) co_return own.error();
  std::vector<std::string> keys;
  for (const std::string& path : own->sidecars) {
    // Always in the log's own folder, whatever folders the path names.
    auto plain = decode_path(std::string_view(path).substr(path.rfind('/') + 1));
    if (!plain) co_return plain.error().with(checkpoint.keys[0]);
    keys.push_back(location_.sidecar_key(*plain));
  }
  auto nested = co_await read_checkpoint_files(keys, false, snapshot);
  if (!nested) co_return nested.error();
  if (!nested->sidecars.empty()) {
    co_return Error(Code::corrupt, "a sidecar file names sidecar files").with(checkpoint.keys[0]);
  }
  if (snapshot->protocol().min_reader_version == 0 || snapshot->schema().fields.empty()) {
    co_return Error(Code::corrupt, "the checkpoint has no protocol or no metaData")
        .with(checkpoint.keys[0]);
  }
  snapshot->set_checkpoint(checkpoint.version, own->bytes);
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
    listing = co_await list(0, Times::no);
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

std::vector<LogReader::Portion> LogReader::next_portions(Version first, Version end) const {
  std::vector<Portion> portions;
  auto left = std::min(static_cast<size_t>(end - first), commits_at_once);
  while (left > 0) {
    size_t count = std::min(left, portion_commits);
    portions.push_back({.first = first, .count = count});
    first += static_cast<Version>(count);
    left -= count;
  }
  return portions;
}

io::Task<> LogReader::read_portion(Portion& portion) {
  std::vector<std::string> keys;
  keys.reserve(portion.count);
  for (size_t i = 0; i < portion.count; ++i)
    keys.push_back(name_of(portion.first + static_cast<Version>(i)));
  auto fetched = co_await services_.store.get_all(location_.bucket, std::move(keys));
  portion.read = co_await services_.work.run([&] { return decode(portion, fetched); });
}

Status LogReader::decode(Portion& portion, std::span<const Result<std::string>> fetched) const {
  codec::JsonScanner scanner;
  for (size_t i = 0; i < fetched.size(); ++i) {
    std::string name = name_of(portion.first + static_cast<Version>(i));
    if (!fetched[i]) return fetched[i].error().with(name);
    auto actions = decode_commit(scanner, *fetched[i]);
    if (!actions) return std::move(actions.error()).with(name);
    portion.commits.push_back(std::move(*actions));
    portion.bytes.push_back(fetched[i]->size());
  }
  return {};
}

Status LogReader::apply_now(Snapshot& snapshot, std::vector<Portion>& portions) const {
  for (Portion& portion : portions) {
    for (size_t i = 0; i < portion.commits.size(); ++i) {
      Version version = snapshot.version() + 1;
      auto applied =
          snapshot.apply_commit(version, std::move(portion.commits[i]), portion.bytes[i]);
      if (!applied) return applied.error().with(name_of(version));
    }
    if (!portion.read) return portion.read;
  }
  return {};
}

io::Task<> LogReader::apply_portions(Snapshot& snapshot, std::vector<Portion>& portions,
                                     Status& applied) {
  applied = co_await services_.work.run([&] { return apply_now(snapshot, portions); });
}

// The commits from `first` up to before `end`. While some are applied, the next are read.
io::Task<Status> LogReader::apply_range(SnapshotPtr snapshot, Version first, Version end) {
  std::vector<Portion> now;
  Status applied;
  while (applied && (first < end || !now.empty())) {
    std::vector<Portion> next = next_portions(first, end);
    io::Scope scope(io::Loop::current());
    for (Portion& portion : next) scope.spawn("read commits", read_portion(portion));
    if (!now.empty()) scope.spawn("apply commits", apply_portions(*snapshot, now, applied));
    co_await scope.join();
    if (!next.empty()) first = next.back().first + static_cast<Version>(next.back().count);
    now = std::move(next);
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
