// Bytes under keys in buckets: one interface, several stores (plain directories, a bucket store
// with an index, a remote S3), one contract test for all. Promise: a put is visible entirely or not
// at all, and durable when it returned ok. Reads are of one version of the object, however it is
// overwritten meanwhile. Keys are any 1..1024 bytes of UTF-8; what is odd about them ("a" beside
// "a/b", "..", long segments) never leads outside the bucket.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/task.h"

namespace pinpipe::objects {

struct Attributes {
  std::string content_type;
  std::map<std::string, std::string> user;    // x-amz-meta-*, names in lower case
  std::map<std::string, std::string> system;  // content-encoding, cache-control, checksums …
};

struct ObjectFacts {
  std::string key;
  uint64_t size = 0;
  int64_t modified_ms = 0;
  std::string etag;  // without quotes: MD5 hex, or hex-<parts> for multipart
  Attributes attributes;
};

struct Condition {
  bool if_absent = false;  // conflict when the key exists
  std::optional<std::string>
      if_etag;  // conflict when another version is there, not_found when none
};

struct ByteRange {
  uint64_t offset = 0;
  std::optional<uint64_t> size;  // nothing: to the end
};

// An open object: its facts and a way to its bytes that stays valid whatever happens to the key.
class OpenObject {
 public:
  virtual ~OpenObject() = default;
  virtual const ObjectFacts& facts() const = 0;
  virtual io::Task<Result<size_t>> read_at(std::span<char> into, uint64_t offset) = 0;
  virtual int descriptor() const { return -1; }  // for sendfile, or -1
};

struct ListQuery {
  std::string prefix;
  std::string delimiter;
  std::string after;  // only keys (and common prefixes) behind this one, in byte order
  size_t count_max = 1000;
  bool keys_only = false;  // a store may leave out sizes, times and ETags, where they cost a look
};

struct Listing {
  std::vector<ObjectFacts> objects;          // in byte order of their keys; attributes may be empty
  std::vector<std::string> common_prefixes;  // in byte order
  bool truncated = false;
  std::string next_after;  // pass as `after` to go on
};

struct BucketFacts {
  std::string name;
  int64_t created_ms = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual io::Task<Status> create_bucket(std::string name) = 0;  // conflict when it exists
  virtual io::Task<Status> remove_bucket(std::string name) = 0;  // conflict when it is not empty
  virtual io::Task<Result<std::vector<BucketFacts>>> list_buckets() = 0;  // in name order
  virtual io::Task<Result<BucketFacts>> find_bucket(std::string name) = 0;

  virtual io::Task<Result<ObjectFacts>> put(std::string bucket, std::string key, std::string bytes,
                                            Attributes attributes, Condition condition) = 0;
  // Takes over a finished temporary file of new_temporary() as the object: no copy. The file is the
  // store's from then on, also when this failed: its name goes, now or later. A caller that has
  // computed the ETag passes it; otherwise the store does.
  virtual io::Task<Result<ObjectFacts>> adopt(std::string bucket, std::string temporary_path,
                                              std::string key, Attributes attributes,
                                              Condition condition, std::string etag = {}) = 0;
  // A path on the store's own disk where a caller may write a file to be adopted.
  virtual std::string new_temporary() = 0;

  virtual io::Task<Result<ObjectFacts>> head(std::string bucket, std::string key) = 0;
  virtual io::Task<Result<std::unique_ptr<OpenObject>>> open(std::string bucket,
                                                             std::string key) = 0;
  virtual io::Task<Result<std::string>> get(std::string bucket, std::string key,
                                            std::optional<ByteRange> range = std::nullopt) = 0;
  // get() of each of these, all at a time: the caller bounds how many.
  virtual io::Task<std::vector<Result<std::string>>> get_all(std::string bucket,
                                                             std::vector<std::string> keys);
  // Ok when it was not there, unless the condition names a version: then `not_found`.
  virtual io::Task<Status> remove(std::string bucket, std::string key,
                                  Condition condition = {}) = 0;
  virtual io::Task<Result<ObjectFacts>> copy(std::string from_bucket, std::string from_key,
                                             std::string to_bucket, std::string to_key,
                                             std::optional<Attributes> attributes,
                                             Condition condition = {}) = 0;
  virtual io::Task<Result<Listing>> list(std::string bucket, ListQuery query) = 0;

  // A path of a local file with the object's bytes, valid while the returned object lives.
  struct Pinned {
    std::string path;
    std::shared_ptr<void> keep;
  };
  virtual io::Task<Result<Pinned>> materialize(std::string bucket, std::string key) = 0;
  // The same for each of these, all at a time: the caller bounds how many.
  virtual io::Task<std::vector<Result<Pinned>>> materialize_all(std::string bucket,
                                                                std::vector<std::string> keys);
};

}  // namespace pinpipe::objects
