// The directories below one root: one per bucket, with the objects' files in them.
// Promise: find() and prepare() agree on where a key lies, also when "a" and "a/b" are both
// objects. All calls block: the stores make them on the disk pool.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/files.h"

namespace pinpipe::objects {

class BucketTree {
 public:
  BucketTree(io::Files& files, std::string root) : files_(files), root_(std::move(root)) {}

  struct Found {
    std::string relative;  // below the bucket's directory
    std::string path;
    io::FileFacts facts;
  };

  std::string directory(std::string_view bucket) const;
  // `not_found` when the bucket has no directory.
  Result<io::FileFacts> bucket_facts(std::string_view bucket);

  Result<Found> find(std::string_view bucket, std::string_view key);

  enum class Durable { yes, no };
  struct Place {
    std::string relative;
    std::string path;
    bool occupied = false;  // the key exists
  };
  // Where a put of `key` has to go; the directories above it exist afterwards (and survive a power
  // cut when asked for). Creators of one bucket's objects must not run at the same time.
  Result<Place> prepare(std::string_view bucket, std::string_view key, Durable durable);
  // Makes `directory` and what is missing above it.
  Status make_directories(const std::string& directory, Durable durable);
  // Removes the directories above `path` that are empty, up to but not including `stop`.
  void prune(std::string path, const std::string& stop);

  // The keys of the odd area, in byte order.
  Result<std::vector<std::string>> odd_keys(std::string_view bucket);

  io::Files& files() { return files_; }
  const std::string& root() const { return root_; }

 private:
  bool is_below_a_file(const std::string& bucket_directory, std::string_view key);
  Status collect_odd(const std::string& directory, const std::string& relative,
                     std::vector<std::string>& keys);

  io::Files& files_;
  std::string root_;
};

}  // namespace pinpipe::objects
