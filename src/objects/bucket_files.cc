// BucketStore's work on the files: what an operation does once it is journaled, and recovery.
#include <charconv>
#include <map>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/log_line.h"
#include "objects/attributes_text.h"
#include "objects/bucket_store.h"
#include "objects/key_path.h"
#include "objects/tree_list.h"

namespace pinpipe::objects {
namespace {

// A larger file gets its attributes written even when they are the default, for the ETag's sake.
constexpr uint64_t cheap_hash_bytes_max = 64 * 1024;
// A file dropped in by hand that is larger than this is not read only to learn its ETag.
constexpr uint64_t hash_bytes_max = 64 << 20;
constexpr std::string_view bucket_file = ".pinpipe/bucket";

}  // namespace

Result<std::unique_ptr<BucketStore>> BucketStore::open(LocalOptions options, io::Pool& disk) {
  std::unique_ptr<BucketStore> store(new BucketStore(std::move(options), disk));
  if (Status recovered = store->recover(); !recovered)
    return recovered.error().with("object store " + store->tree_.root());
  return store;
}

Status BucketStore::recover() {
  for (const std::string& directory : {temporary_directory(), journal_.directory()}) {
    Status made = tree_.make_directories(directory, BucketTree::Durable::yes);
    if (!made) return made;
  }
  // Only each key's last record counts, of those that can be done.
  std::map<std::pair<std::string, std::string>, uint64_t> last;
  uint64_t count = 0;
  auto read = journal_.replay([&](const JournalRecord& record) {
    ++count;
    if (can_be_done(record)) last[{std::string(record.bucket), std::string(record.key)}] = count;
    return Status{};
  });
  if (!read) return read.error();
  count = 0;
  auto replayed = journal_.replay([&](const JournalRecord& record) {
    bool is_last = last[{std::string(record.bucket), std::string(record.key)}] == ++count;
    return is_last ? replay(record) : Status{};
  });
  if (!replayed) return replayed.error();
  if (!replayed->empty()) {
    if (Status synced = files().sync_tree(tree_.root()); !synced) return synced;
    if (Status removed = journal_.remove_segments(*replayed); !removed) return removed;
  }
  // What lies among the temporaries now was never promised, or is in its place already. The
  // directory itself stays, since it is durable.
  done_ = {};
  auto left = files().list(temporary_directory());
  if (!left) return left.error();
  for (const io::DirEntry& entry : *left) {
    std::string path = temporary_directory() + "/" + entry.name;
    Status removed = entry.is_directory ? files().remove_tree(path) : files().remove(path);
    if (!removed) return removed;
  }
  return {};
}

// A temporary file that is missing, or not whole where it was synced together with its record, was
// not promised: the record's other half never reached the disk.
bool BucketStore::can_be_done(const JournalRecord& record) {
  bool is_checked = record.kind == JournalRecord::Kind::adopt_checked;
  if (record.kind != JournalRecord::Kind::adopt && !is_checked) return true;
  std::string path = temporary_directory() + "/" + std::string(record.temporary);
  if (!is_checked) return files().exists(path);
  auto facts = facts_from_text(record.attributes);
  return facts && has_bytes_of(path, facts->etag);
}

Status BucketStore::replay(const JournalRecord& record) {
  if (!tree_.bucket_facts(record.bucket)) return {};  // the bucket was removed after this
  auto facts = facts_from_text(record.attributes);
  if (!facts || !check_name(record.bucket) || !check_key(record.key))
    return Error(Code::corrupt, "a whole journal record makes no sense");
  Operation operation;
  operation.bucket = record.bucket;
  operation.key = record.key;
  operation.bytes = record.bytes;
  operation.etag = facts->etag;
  operation.attributes = facts->attributes;
  auto found = tree_.find(record.bucket, record.key);
  Result<ObjectFacts> done = ObjectFacts{};
  switch (record.kind) {
    case JournalRecord::Kind::put: {
      // A file that is there as promised keeps its modification time.
      if (found && is_default(operation.attributes) && has_bytes_of(found->path, operation.etag)) {
        auto there = facts_of(record.bucket, record.key, *found);
        if (there && there->etag == operation.etag && is_default(there->attributes)) return {};
      }
      operation.kind = Operation::Kind::put;
      done = apply(operation);
      break;
    }
    case JournalRecord::Kind::adopt:
    case JournalRecord::Kind::adopt_checked:
      operation.kind = Operation::Kind::adopt;
      operation.temporary = temporary_directory() + "/" + std::string(record.temporary);
      done = apply(operation);
      break;
    case JournalRecord::Kind::remove:
      operation.kind = Operation::Kind::remove;
      if (found) done = apply(operation);
      break;
    default:
      return Error(Code::corrupt, "a journal record of an unknown kind");
  }
  return done ? Status{} : done.error();
}

// Attributes are not believed here: they may have reached the disk when the bytes did not.
bool BucketStore::has_bytes_of(const std::string& path, std::string_view etag) {
  auto file = files().open(path, io::OpenMode::read);
  if (!file) return false;
  auto digest = md5_of_file(**file);
  return digest && *digest == etag;
}

BucketFacts BucketStore::bucket_facts_of(std::string_view name, const io::FileFacts& facts) {
  BucketFacts bucket{std::string(name), facts.modified_ms};
  auto text = files().read_all(tree_.directory(name) + "/" + std::string(bucket_file));
  constexpr std::string_view intro = "created-ms ";
  if (text && text->starts_with(intro))
    std::from_chars(text->data() + intro.size(), text->data() + text->size(), bucket.created_ms);
  return bucket;
}

std::string BucketStore::attributes_path(std::string_view bucket, std::string_view relative) const {
  return tree_.directory(bucket) + "/" + std::string(attributes_area) + "/" + std::string(relative);
}

Result<ObjectFacts> BucketStore::facts_of(std::string_view bucket, std::string_view key,
                                          const BucketTree::Found& found) {
  if (auto known = facts_cache_.find(found.path, found.facts)) return std::move(*known);
  ObjectFacts facts;
  auto text = files().read_all(attributes_path(bucket, found.relative));
  auto written = text ? facts_from_text(*text) : std::nullopt;
  // Attributes that tell of another file are those of a version that somebody replaced by hand.
  if (written && !written->etag.empty() && written->size == found.facts.size &&
      written->modified_ms == found.facts.modified_ms) {
    facts = std::move(*written);
  } else {
    auto etag = etag_of_file(found.path, found.facts);
    if (!etag) return etag.error();
    facts.etag = std::move(*etag);
  }
  facts.key = key;
  facts.size = found.facts.size;
  facts.modified_ms = found.facts.modified_ms;
  facts_cache_.keep(found.path, found.facts, facts);
  return facts;
}

Result<std::string> BucketStore::etag_of_file(const std::string& path, const io::FileFacts& facts) {
  if (facts.size > hash_bytes_max) {
    // In the form of a multipart upload's ETag, so that no client takes it for an MD5 of the bytes.
    std::string told = std::to_string(facts.inode) + " " + std::to_string(facts.size) + " " +
                       std::to_string(facts.modified_ms);
    return to_hex(md5(told)) + "-1";
  }
  auto file = files().open(path, io::OpenMode::read);
  if (!file) return file.error();
  return md5_of_file(**file);
}

Result<std::string> BucketStore::md5_of_file(io::File& file) {
  auto size = file.size();
  if (!size) return size.error();
  Digest digest(Digest::Kind::md5);
  std::string step(std::min<uint64_t>(*size + 1, 1 << 20), '\0');
  for (uint64_t offset = 0;; offset += step.size()) {
    auto got = file.read_at(step, offset);
    if (!got) return got.error();
    digest.add(std::string_view(step.data(), *got));
    if (*got < step.size()) return to_hex(digest.finish());
  }
}

Result<ObjectFacts> BucketStore::apply(Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::put: {
      auto temporary = write_unsynced(operation.bytes);
      if (!temporary) return temporary.error();
      return place(operation, *temporary);
    }
    case Operation::Kind::adopt:
      return place(operation, operation.temporary);
    case Operation::Kind::remove:
      return remove_now(operation);
    case Operation::Kind::create_bucket:
      return create_bucket_now(operation.bucket);
    case Operation::Kind::remove_bucket:
      return remove_bucket_now(operation.bucket);
  }
  return Error(Code::internal, "an operation of no kind");
}

Result<std::string> BucketStore::write_unsynced(std::string_view bytes) {
  std::string path = new_temporary();
  auto file = files().open(path, io::OpenMode::create_new);
  if (!file) return file.error();
  if (Status written = (*file)->write_at(bytes, 0); !written) {
    (void)files().remove(path);
    return written.error();
  }
  return path;
}

Result<ObjectFacts> BucketStore::place(Operation& operation, const std::string& temporary) {
  auto file = files().facts(temporary);
  if (!file) return file.error();
  ObjectFacts facts{.key = operation.key,
                    .size = file->size,
                    .modified_ms = file->modified_ms,
                    .etag = operation.etag,
                    .attributes = operation.attributes};
  auto place = tree_.prepare(operation.bucket, operation.key, BucketTree::Durable::no);
  Status done = place ? Status{} : place.error();
  // An adopted file keeps its temporary name, by which the journal knows it.
  bool keeps = operation.kind == Operation::Kind::adopt;
  std::string moving = keeps ? new_temporary() : temporary;
  if (done && keeps) done = files().link(temporary, moving);
  if (done) {
    std::lock_guard lock(version_lock(operation.bucket, operation.key));
    done = exchange_attributes(facts, operation.bucket, *place);
    if (done) done = files().rename(moving, place->path);
  }
  if (!done) {
    (void)files().remove(temporary);
    if (keeps) (void)files().remove(moving);
    return done.error();
  }
  facts_cache_.keep(place->path, *file, facts);
  note_touched(keeps ? io::parent_directory(place->path) : place->path, operation.bucket);
  if (keeps) done_.kept.push_back(temporary);
  if (keeps) done_.kept_bytes += facts.size;
  return facts;
}

Status BucketStore::exchange_attributes(const ObjectFacts& facts, const std::string& bucket,
                                        const BucketTree::Place& place) {
  std::string path = attributes_path(bucket, place.relative);
  bool needed = !is_default(facts.attributes) || facts.size > cheap_hash_bytes_max ||
                facts.etag.contains('-');
  if (!needed && !place.occupied) return {};
  note_touched(path, bucket);
  if (!needed) {
    (void)files().remove(path);
    return {};
  }
  auto temporary = write_unsynced(to_text(facts));
  if (!temporary) return temporary.error();
  Status made = files().make_directories(io::parent_directory(path));
  if (made) made = files().rename(*temporary, path);
  if (!made) {
    // What is in the way belongs to an object that somebody removed by hand.
    clear_way(tree_.directory(bucket) + "/" + std::string(attributes_area), path);
    made = files().make_directories(io::parent_directory(path));
    if (made) made = files().rename(*temporary, path);
  }
  if (!made) (void)files().remove(*temporary);
  return made;
}

void BucketStore::clear_way(const std::string& area, const std::string& path) {
  if (auto there = files().facts(path); there && there->is_directory)
    (void)files().remove_tree(path);
  for (std::string above = io::parent_directory(path); above.size() > area.size();
       above = io::parent_directory(above)) {
    if (auto there = files().facts(above); there && !there->is_directory)
      (void)files().remove(above);
  }
}

Result<ObjectFacts> BucketStore::remove_now(const Operation& operation) {
  auto found = tree_.find(operation.bucket, operation.key);
  if (!found) return found.error();
  std::string attributes = attributes_path(operation.bucket, found->relative);
  {
    std::lock_guard lock(version_lock(operation.bucket, operation.key));
    if (Status removed = files().remove(found->path); !removed) return removed.error();
    note_touched(found->path, operation.bucket);
    note_touched(attributes, operation.bucket);
    if (!files().remove(attributes)) attributes.clear();
  }
  std::string base = tree_.directory(operation.bucket);
  tree_.prune(found->path, base);
  if (!attributes.empty()) tree_.prune(attributes, base + "/" + std::string(attributes_area));
  return ObjectFacts{};
}

Result<ObjectFacts> BucketStore::create_bucket_now(const std::string& name) {
  if (tree_.bucket_facts(name))
    return Error(Code::conflict, "bucket '" + name + "' exists already");
  std::string directory = tree_.directory(name) + "/" + std::string(reserved_name);
  if (Status made = tree_.make_directories(directory, BucketTree::Durable::yes); !made)
    return made.error();
  std::string text = "created-ms " + std::to_string(clock_.wall_ms()) + "\n";
  Status written = files().replace(tree_.directory(name) + "/" + std::string(bucket_file), text);
  if (!written) return written.error();
  return ObjectFacts{};
}

Result<ObjectFacts> BucketStore::remove_bucket_now(const std::string& name) {
  ListQuery any;
  any.count_max = 1;
  auto first = list_keys(tree_, cache_, name, any);
  if (!first) return first.error();
  if (!first->keys.empty()) return Error(Code::conflict, "bucket '" + name + "' is not empty");
  if (Status removed = files().remove_tree(tree_.directory(name)); !removed) return removed.error();
  if (Status synced = files().sync_directory(tree_.root()); !synced) return synced.error();
  return ObjectFacts{};
}

}  // namespace pinpipe::objects
