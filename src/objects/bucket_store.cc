#include "objects/bucket_store.h"

#include <algorithm>
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
  done_.segments = journal_.close_segment();
  closed_.add(std::move(done_));
  if (closed_.segments.empty()) return;
  checkpointing_ = true;
  lock.unlock();
  checkpoint(closed_);
}

void BucketStore::Done::add(Done other) {
  std::ranges::move(other.segments, std::back_inserter(segments));
  std::ranges::move(other.kept, std::back_inserter(kept));
  touched.merge(other.touched);
  kept_bytes += other.kept_bytes;
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
  auto operation = std::make_unique<Operation>();
  auto ready = co_await disk_.run([&, this]() -> Status {
    if (!good) return good;
    auto file = files().open(temporary_path, io::OpenMode::write);
    if (!file) return file.error();
    auto size = (*file)->size();
    if (!size) return size.error();
    operation->size = *size;
    if (etag.empty()) {
      auto computed = md5_of_file(**file);
      if (!computed) return computed.error();
      etag = std::move(*computed);
    }
    // What can be checked at a replay is synced beside its record. An ETag of parts is no MD5.
    bool is_checked = *size <= checked_object_bytes_max && !etag.contains('-');
    if (!is_checked) return (*file)->sync();
    operation->file = std::move(*file);
    return {};
  });
  operation->kind = Operation::Kind::adopt;
  operation->bucket = std::move(bucket);
  operation->key = std::move(key);
  operation->temporary = temporary_path;
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
    encode(*operation, records);
    admitted.push_back(std::move(operation));
  }
  if (!records.empty()) {
    if (Status written = make_durable(admitted, records); !written) {
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
  bool keeps_much = done_.kept_bytes > kept_bytes_max || done_.kept.size() > kept_max;
  if (journal_.is_full() || keeps_much) turn_segment();
}

void BucketStore::encode(const Operation& operation, std::string& records) {
  JournalRecord record{.kind = {},
                       .bucket = operation.bucket,
                       .key = operation.key,
                       .attributes = {},
                       .temporary = operation.temporary,
                       .bytes = operation.bytes};
  switch (operation.kind) {
    case Operation::Kind::put:
      record.kind = JournalRecord::Kind::put;
      break;
    case Operation::Kind::adopt:
      record.kind =
          operation.file ? JournalRecord::Kind::adopt_checked : JournalRecord::Kind::adopt;
      record.temporary.remove_prefix(record.temporary.rfind('/') + 1);
      break;
    case Operation::Kind::remove:
      record.kind = JournalRecord::Kind::remove;
      break;
    case Operation::Kind::create_bucket:
    case Operation::Kind::remove_bucket:
      return;
  }
  ObjectFacts facts;
  facts.etag = operation.etag;
  facts.size = operation.size;
  facts.attributes = operation.attributes;
  std::string text = to_text(facts);
  record.attributes = text;
  append_record(records, record);
}

// At the same time, since none waits for another: what a power cut leaves of them tells a replay
// whether all were done.
Status BucketStore::make_durable(Group& admitted, const std::string& records) {
  Status written, named;
  std::vector<std::move_only_function<void()>> syncs;
  syncs.emplace_back([&] { written = journal_.append(records); });
  bool adopts = false;
  for (auto& operation : admitted) {
    adopts |= operation->kind == Operation::Kind::adopt;
    if (operation->file) syncs.emplace_back([&of = *operation] { of.synced = of.file->sync(); });
  }
  if (adopts) syncs.emplace_back([&] { named = files().sync_directory(temporary_directory()); });
  disk_.run_all(std::move(syncs));
  for (auto& operation : admitted) {
    operation->file.reset();
    if (operation->kind == Operation::Kind::adopt && operation->synced) operation->synced = named;
  }
  return written;
}

void BucketStore::finish(Group admitted, io::Wakes& wakes) {
  for (auto& operation : admitted) {
    if (operation->synced) {
      operation->done.set(apply(*operation), wakes);
    } else {
      (void)files().remove(operation->temporary);
      operation->done.set(operation->synced.error(), wakes);
    }
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
  done_.segments = journal_.close_segment();
  std::unique_lock lock(mutex_);
  closed_.add(std::exchange(done_, {}));
  // With too many segments waiting, writers wait for the disk: here, by not going on.
  if (checkpointing_ && closed_.segments.size() >= segments_waiting_max)
    idle_.wait(lock, [this] { return !checkpointing_; });
  if (checkpointing_) return;
  checkpointing_ = true;
  bool queued = disk_.submit([this, closed = std::exchange(closed_, {})] { checkpoint(closed); });
  CHECK(queued, "the disk pool's queue is larger than the number of stores");
}

// All that the closed segments promise was done to the files before they were closed; once those
// are synced, the segments have nothing to add, and then the temporary names have nothing either.
void BucketStore::checkpoint(const Done& done) {
  Status synced = sync_touched(done.touched);
  if (synced) synced = journal_.remove_segments(done.segments);
  if (synced) {
    for (const std::string& path : done.kept) (void)files().remove(path);
  } else {
    log_error("objects", "synced files late: the journal is kept for the next start",
              {{"reason", synced.error().text()}});
  }
  std::lock_guard lock(mutex_);
  checkpointing_ = false;
  idle_.notify_all();
}

Status BucketStore::sync_touched(const std::set<std::string>& touched) {
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
  for (; path.size() >= base.size() && done_.touched.size() <= touched_max;
       path = io::parent_directory(path)) {
    if (!done_.touched.insert(path).second) return;  // then so are those above
  }
}

}  // namespace pinpipe::objects
