// Objects as the plain files of a directory that others (Spark, delta-rs) may write beside us: the
// directory is the truth, and nothing is remembered about it.
// Promise: put and adopt are durable when they return ok (sync of the file, link or rename, sync of
// the directory), put-if-absent is atomic for every process that uses the same directory; if_etag
// only within this process. ETags are made of inode, time and size. Attributes are not kept.
#pragma once

#include <memory>
#include <mutex>

#include "objects/local_store.h"

namespace pinpipe::objects {

class DirectoryStore final : public LocalStore {
 public:
  // A bucket is a directory right below options.root.
  DirectoryStore(LocalOptions options, io::Pool& disk);

  // Removes the temporary files that a crash left. Blocks; only where no other process uses the
  // root.
  Status remove_debris();

  io::Task<Status> create_bucket(std::string name) override;
  io::Task<Status> remove_bucket(std::string name) override;
  io::Task<Result<ObjectFacts>> put(std::string bucket, std::string key, std::string bytes,
                                    Attributes attributes, Condition condition) override;
  io::Task<Result<ObjectFacts>> adopt(std::string bucket, std::string temporary_path,
                                      std::string key, Attributes attributes, Condition condition,
                                      std::string etag) override;
  io::Task<Status> remove(std::string bucket, std::string key, Condition condition = {}) override;

 private:
  Result<ObjectFacts> facts_of(std::string_view bucket, std::string_view key,
                               const BucketTree::Found& found) override;
  BucketFacts bucket_facts_of(std::string_view name, const io::FileFacts& facts) override;
  Status check_name(std::string_view bucket) const override;

  Result<ObjectFacts> put_now(const std::string& bucket, const std::string& key,
                              const std::string& bytes, const Condition& condition);
  Result<ObjectFacts> adopt_now(const std::string& bucket, const std::string& temporary,
                                const std::string& key, const Condition& condition);
  Result<BucketTree::Place> place(const std::string& bucket, const std::string& temporary,
                                  const std::string& key, const Condition& condition);
  Status remove_now(const std::string& bucket, const std::string& key, const Condition& condition);

  std::mutex placing_;  // choosing a place and taking it are one step within this process
};

}  // namespace pinpipe::objects
