#include "objects/bucket_store.h"

#include <set>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/log_line.h"
#include "objects/attributes_text.h"
#include "objects/key_path.h"

namespace pinpipe::objects {
namespace {

constexpr size_t group_bytes_max = 8 << 20;
constexpr size_t group_operations_max = 512;
constexpr size_t inline_hash_bytes_max = 16 * 1024;

}  // namespace

bool BucketStore::Operation::looks() const {
  return kind == Kind::remove || condition.if_absent || condition.if_etag;
}

BucketStore::BucketStore(LocalOptions options, io::Pool& disk)
    : LocalStore(options, disk),
      journal_(*options.files, options.root + "/" + std::string(reserved_name) + "/journal") {}

BucketStore::~BucketStore() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !committing_ && !checkpointing_; });
  if (poisoned_) return;
  std::vector<std::string> segments = std::move(closed_segments_);
  for (std::string& path : journal_.close_segment()) segments.push_back(std::move(path));
  if (segments.empty()) return;
  checkpointing_ = true;
  closed_touched_.merge(touched_);
  lock.unlock();
  checkpoint(segments, closed_touched_);
}

Status BucketStore::check_name(std::string_view bucket) const {
  return check_bucket_name(bucket);
}

io::Task<Status> BucketStore::create_bucket(std::string name) {
  if (Status good = check_name(name); !good) co_return good;
  auto operation = std::make_unique<Operation>();
  operation->kind = Operation::Kind::create_bucket;
  operation->bucket = std::move(name);
  auto done = co_await submit(std::move(operation));
  co_return done ? Status{} : done.error();
}

io::Task<Status> BucketStore::remove_bucket(std::string name) {
  if (Status good = check_name(name); !good) co_return good;
  auto operation = std::make_unique<Operation>();
  operation->kind = Operation::Kind::remove_bucket;
  operation->bucket = std::move(name);
  auto done = co_await submit(std::move(operation));
  co_return done ? Status{} : done.error();
}

io::Task<Result<ObjectFacts>> BucketStore::put(std::string bucket, std::string key,
                                               std::string bytes, Attributes attributes,
                                               Condition condition) {
  if (Status good = check_name(bucket); !good) co_return good.error();
  if (Status good = check_key(key); !good) co_return good.error();
  std::string etag = bytes.size() <= inline_hash_bytes_max
                         ? to_hex(md5(bytes))
                         : co_await disk_.run([&bytes] { return to_hex(md5(bytes)); });
  if (bytes.size() > journaled_object_bytes_max) {
    auto temporary = co_await disk_.run([this, &bytes] { return write_unsynced(bytes); });
    if (!temporary) co_return temporary.error();
    co_return co_await adopt(std::move(bucket), std::move(*temporary), std::move(key),
                             std::move(attributes), std::move(condition), std::move(etag));
  }
  auto operation = std::make_unique<Operation>();
  operation->kind = Operation::Kind::put;
  operation->bucket = std::move(bucket);
  operation->key = std::move(key);
  operation->bytes = std::move(bytes);
  operation->etag = std::move(etag);
  operation->attributes = std::move(attributes);
  operation->condition = std::move(condition);
  co_return co_await submit(std::move(operation));
}

io::Task<Result<ObjectFacts>> BucketStore::adopt(std::string bucket, std::string temporary_path,
                                                 std::string key, Attributes attributes,
                                                 Condition condition, std::string etag) {
  Status good = check_name(bucket);
  if (good) good = check_key(key);
  uint64_t size = 0;
  auto ready = co_await disk_.run([&, this]() -> Status {
    if (!good) return good;
    auto file = files().open(temporary_path, io::OpenMode::write);
    if (!file) return file.error();
    auto bytes = (*file)->size();
    if (!bytes) return bytes.error();
    size = *bytes;
    if (Status synced = (*file)->sync(); !synced) return synced;
    // The journal will name the temporary file: its name has to be as durable as the record.
    if (Status synced = files().sync_directory(temporary_directory()); !synced) return synced;
    if (!etag.empty()) return {};
    auto computed = md5_of_file(**file);
    if (!computed) return computed.error();
    etag = std::move(*computed);
    return {};
  });
  auto operation = std::make_unique<Operation>();
  operation->kind = Operation::Kind::adopt;
  operation->bucket = std::move(bucket);
  operation->key = std::move(key);
  operation->temporary = temporary_path;
  operation->size = size;
  operation->etag = std::move(etag);
  operation->attributes = std::move(attributes);
  operation->condition = std::move(condition);
  auto done = ready ? co_await submit(std::move(operation)) : Result<ObjectFacts>(ready.error());
  if (!done) (void)co_await disk_.run([&, this] { return files().remove(temporary_path); });
  co_return done;
}

io::Task<Status> BucketStore::remove(std::string bucket, std::string key, Condition condition) {
  if (Status good = check_name(bucket); !good) co_return good;
  if (Status good = check_key(key); !good) co_return good;
  auto operation = std::make_unique<Operation>();
  operation->kind = Operation::Kind::remove;
  operation->condition = std::move(condition);
  operation->bucket = std::move(bucket);
  operation->key = std::move(key);
  auto done = co_await submit(std::move(operation));
  co_return done ? Status{} : done.error();
}

io::Task<Result<ObjectFacts>> BucketStore::submit(std::unique_ptr<Operation> operation) {
  io::OneShot<Result<ObjectFacts>> done = operation->done;
  if (Status queued = enqueue(std::move(operation)); !queued) co_return queued.error();
  auto outcome = co_await done.wait();
  if (!outcome) co_return outcome.error();
  co_return std::move(*outcome);
}

Status BucketStore::enqueue(std::unique_ptr<Operation> operation) {
  {
    std::lock_guard lock(mutex_);
    if (queue_.size() >= queued_operations_max ||
        queued_bytes_ + operation->weight() > queued_bytes_max)
      return Error(Code::busy, "the object store has as much to write as it can hold");
    queued_bytes_ += operation->weight();
    queue_.push_back(std::move(operation));
    if (committing_) return {};
    committing_ = true;
  }
  bool queued = disk_.submit([this] { commit_all(); });
  CHECK(queued, "the disk pool's queue is larger than the number of stores");
  return {};
}

void BucketStore::commit_all() {
  while (true) {
    Group group = take_group();
    if (group.empty()) return;
    commit(std::move(group));
  }
}

BucketStore::Group BucketStore::take_group() {
  std::lock_guard lock(mutex_);
  Group group;
  std::set<std::pair<std::string_view, std::string_view>> touched;
  size_t bytes = 0;
  while (!queue_.empty() && group.size() < group_operations_max && bytes < group_bytes_max) {
    const Operation& next = *queue_.front();
    bool whole_bucket =
        next.kind == Operation::Kind::create_bucket || next.kind == Operation::Kind::remove_bucket;
    bool fresh = touched.emplace(next.bucket, next.key).second;
    // What looks at a key has to see the files as the operations before it left them.
    if (!group.empty() && (whole_bucket || (next.looks() && !fresh))) break;
    bytes += next.weight();
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
    if (whole_bucket) break;
  }
  queued_bytes_ -= bytes;
  if (group.empty()) {
    committing_ = false;
    idle_.notify_all();
  }
  return group;
}

void BucketStore::commit(Group group) {
  io::Wakes wakes;
  Group admitted;
  std::string records;
  for (auto& operation : group) {
    if (auto answer = refuse(*operation)) {
      operation->done.set(std::move(*answer), wakes);
      continue;
    }
    if (operation->kind <= Operation::Kind::remove) {
      ObjectFacts facts;
      facts.etag = operation->etag;
      facts.size = operation->size;
      facts.attributes = operation->attributes;
      std::string text = to_text(facts);
      std::string_view name = operation->temporary;
      name.remove_prefix(name.rfind('/') + 1);
      static_assert(static_cast<int>(Operation::Kind::remove) + 1 ==
                    static_cast<int>(JournalRecord::Kind::remove));
      append_record(
          records, {.kind = static_cast<JournalRecord::Kind>(static_cast<int>(operation->kind) + 1),
                    .bucket = operation->bucket,
                    .key = operation->key,
                    .attributes = text,
                    .temporary = name,
                    .bytes = operation->bytes});
    }
    admitted.push_back(std::move(operation));
  }
  if (!records.empty()) {
    if (Status written = journal_.append(records); !written) {
      poisoned_ = true;
      log_error("objects", "the journal cannot be written; no changes until restart",
                {{"reason", written.error().text()}});
      for (auto& operation : admitted)
        operation->done.set(Error(Code::unavailable, written.error().text()), wakes);
      return;
    }
  }
  finish(std::move(admitted), wakes);
  wakes.send();
  if (journal_.is_full()) turn_segment();
}

void BucketStore::finish(Group admitted, io::Wakes& wakes) {
  std::vector<Result<ObjectFacts>> outcomes;
  std::set<std::string> directories;
  for (auto& operation : admitted) {
    outcomes.push_back(apply(*operation));
    if (operation->kind != Operation::Kind::adopt || !outcomes.back()) continue;
    // An earlier small put may have made the directories above without making them durable.
    std::string base = tree_.directory(operation->bucket);
    for (std::string above = io::parent_directory(operation->placed_path);
         above.size() >= base.size(); above = io::parent_directory(above))
      directories.insert(above);
  }
  // The journal has the bytes of small objects; of an adopted file it has only the temporary name,
  // which the rename took away: the new name has to be durable by itself.
  Status synced;
  for (const std::string& directory : directories) {
    if (synced) synced = files().sync_directory(directory);
  }
  for (size_t i = 0; i < admitted.size(); ++i) {
    bool lost = admitted[i]->kind == Operation::Kind::adopt && !synced;
    admitted[i]->done.set(lost ? Result<ObjectFacts>(synced.error()) : std::move(outcomes[i]),
                          wakes);
  }
}

std::optional<Result<ObjectFacts>> BucketStore::refuse(const Operation& operation) {
  if (poisoned_)
    return Result<ObjectFacts>(Error(Code::unavailable,
                                     "the object store takes no changes: an earlier write to its "
                                     "journal failed; restart when the disk is well"));
  if (operation.kind == Operation::Kind::create_bucket) return std::nullopt;
  if (auto there = tree_.bucket_facts(operation.bucket); !there)
    return Result<ObjectFacts>(there.error());
  if (operation.kind == Operation::Kind::remove) {
    auto found = tree_.find(operation.bucket, operation.key);
    if (!found && found.error().code() == Code::not_found && !operation.condition.if_etag)
      return Result<ObjectFacts>(ObjectFacts{});
    if (!found) return Result<ObjectFacts>(found.error());
  }
  if (Status met = check_condition(operation); !met) return Result<ObjectFacts>(met.error());
  return std::nullopt;
}

Status BucketStore::check_condition(const Operation& operation) {
  const Condition& condition = operation.condition;
  if (!condition.if_absent && !condition.if_etag) return {};
  auto found = tree_.find(operation.bucket, operation.key);
  if (!found && found.error().code() != Code::not_found) return found.error();
  if (condition.if_absent)
    return found ? Status(Error(Code::conflict, "object '" + operation.key + "' exists already"))
                 : Status{};
  if (!found) return found.error();
  auto facts = facts_of(operation.bucket, operation.key, *found);
  if (!facts) return facts.error();
  if (facts->etag != *condition.if_etag)
    return Error(Code::conflict,
                 "object '" + operation.key + "' has another version than the one expected");
  return {};
}

void BucketStore::turn_segment() {
  std::vector<std::string> closed = journal_.close_segment();
  std::unique_lock lock(mutex_);
  for (std::string& path : closed) closed_segments_.push_back(std::move(path));
  // With too many segments waiting, writers wait for the disk: here, by not going on.
  if (checkpointing_ && closed_segments_.size() >= segments_waiting_max)
    idle_.wait(lock, [this] { return !checkpointing_; });
  closed_touched_.merge(touched_);
  touched_.clear();
  if (checkpointing_) return;
  checkpointing_ = true;
  bool queued = disk_.submit(
      [this, segments = std::exchange(closed_segments_, {}),
       touched = std::exchange(closed_touched_, {})] { checkpoint(segments, touched); });
  CHECK(queued, "the disk pool's queue is larger than the number of stores");
}

// All that the closed segments promise was done to the files before they were closed; once those
// are synced, the segments have nothing to add.
void BucketStore::checkpoint(const std::vector<std::string>& segments, const Touched& touched) {
  Status synced = sync_touched(touched);
  if (synced) synced = journal_.remove_segments(segments);
  if (!synced)
    log_error("objects", "synced files late: the journal is kept for the next start",
              {{"reason", synced.error().text()}});
  std::lock_guard lock(mutex_);
  checkpointing_ = false;
  idle_.notify_all();
}

Status BucketStore::sync_touched(const Touched& touched) {
  if (touched.size() > touched_max) return files().sync_tree(tree_.root());
  for (const std::string& path : touched) {
    auto facts = files().facts(path);
    Status synced = facts ? Status{} : Status(facts.error());
    if (facts && facts->is_directory) {
      synced = files().sync_directory(path);
    } else if (facts) {
      auto file = files().open(path, io::OpenMode::read);
      synced = file ? (*file)->sync() : Status(file.error());
    }
    // What is gone was removed by a later operation, which noted the directories above.
    if (!synced && synced.error().code() != Code::not_found) return synced;
  }
  return {};
}

void BucketStore::note_touched(std::string path, const std::string& bucket) {
  std::string base = tree_.directory(bucket);
  for (; path.size() >= base.size() && touched_.size() <= touched_max;
       path = io::parent_directory(path)) {
    if (!touched_.insert(path).second) return;  // then so are those above
  }
}

}  // namespace pinpipe::objects
