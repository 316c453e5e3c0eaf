// What the two local stores have in common: everything that reads, over a BucketTree.
// Promise: an open object keeps giving the bytes of the version it was opened on.
// All file access happens on the disk pool; nothing here blocks a loop.
#pragma once

#include <array>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/files.h"
#include "io/pool.h"
#include "objects/bucket_tree.h"
#include "objects/directory_cache.h"
#include "objects/store.h"

namespace pinpipe::objects {

struct LocalOptions {
  std::string root;
  io::Files* files = &io::posix_files();
  Clock* clock = &system_clock();
};

class LocalStore : public Store {
 public:
  LocalStore(LocalOptions options, io::Pool& disk);

  io::Task<Result<std::vector<BucketFacts>>> list_buckets() override;
  io::Task<Result<BucketFacts>> find_bucket(std::string name) override;
  std::string new_temporary() override;
  io::Task<Result<ObjectFacts>> head(std::string bucket, std::string key) override;
  io::Task<Result<std::unique_ptr<OpenObject>>> open(std::string bucket, std::string key) override;
  io::Task<Result<std::string>> get(std::string bucket, std::string key,
                                    std::optional<ByteRange> range) override;
  io::Task<std::vector<Result<std::string>>> get_all(std::string bucket,
                                                     std::vector<std::string> keys) override;
  io::Task<Result<ObjectFacts>> copy(std::string from_bucket, std::string from_key,
                                     std::string to_bucket, std::string to_key,
                                     std::optional<Attributes> attributes,
                                     Condition condition) override;
  io::Task<Result<Listing>> list(std::string bucket, ListQuery query) override;
  io::Task<Result<Pinned>> materialize(std::string bucket, std::string key) override;
  io::Task<std::vector<Result<Pinned>>> materialize_all(std::string bucket,
                                                        std::vector<std::string> keys) override;

 protected:
  struct Opened {
    ObjectFacts facts;
    std::unique_ptr<io::File> file;
  };
  // These block: on the disk pool only.
  virtual Result<ObjectFacts> facts_of(std::string_view bucket, std::string_view key,
                                       const BucketTree::Found& found) = 0;
  virtual BucketFacts bucket_facts_of(std::string_view name, const io::FileFacts& facts) = 0;
  virtual Status check_name(std::string_view bucket) const = 0;
  Result<ObjectFacts> head_now(std::string_view bucket, std::string_view key);
  Result<Opened> open_now(std::string_view bucket, std::string_view key);
  Result<std::string> get_now(std::string_view bucket, std::string_view key,
                              const std::optional<ByteRange>& range);
  Result<Listing> list_now(std::string_view bucket, const ListQuery& query);
  Result<Pinned> materialize_now(std::string_view bucket, std::string_view key);
  // Into a new temporary file; gives its path.
  Result<std::string> copy_bytes_now(io::File& from);

  // Held for the moment in which an object's file and its attributes are looked at or exchanged.
  std::mutex& version_lock(std::string_view bucket, std::string_view key);

  std::string temporary_directory() const;
  io::Files& files() { return tree_.files(); }

  BucketTree tree_;
  DirectoryCache cache_;
  io::Pool& disk_;
  Clock& clock_;

 private:
  std::array<std::mutex, 64> version_locks_;
};

}  // namespace pinpipe::objects
