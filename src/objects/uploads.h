// Multipart uploads: parts that wait for the object they will be.
//   <root>/.pinpipe/uploads/<id>/upload          bucket, key, attributes (text)
//   <root>/.pinpipe/uploads/<id>/part-00001      the bytes
//   <root>/.pinpipe/uploads/<id>/part-00001.md5  size and MD5 (text)
// Promise: an upload or part that was acknowledged survives a power cut; the object appears whole
// at complete() and not before; an upload that was completed or aborted leaves nothing behind.
// Bounds: part numbers 1..parts_max; parts below part_bytes_min only as the last one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/files.h"
#include "io/pool.h"
#include "objects/local_store.h"
#include "objects/store.h"

namespace pinpipe::objects {

struct UploadFacts {
  std::string id;
  std::string bucket;
  std::string key;
  int64_t created_ms = 0;
  Attributes attributes;
};

struct PartFacts {
  int number = 0;
  uint64_t size = 0;
  int64_t modified_ms = 0;
  std::string md5_hex;
  std::map<std::string, std::string> checksums = {};  // by header name, as the client sent them
};

class Uploads {
 public:
  static constexpr int parts_max = 10'000;
  static constexpr uint64_t part_bytes_min = 5 << 20;

  // The same options and pool as the store's.
  Uploads(const LocalOptions& options, io::Pool& disk);

  io::Task<Result<std::string>> create(std::string bucket, std::string key, Attributes attributes);
  // `not_found` when there is no such upload of this key.
  io::Task<Result<UploadFacts>> find(std::string bucket, std::string key, std::string id);
  io::Task<Result<std::vector<UploadFacts>>> list(std::string bucket);
  // Takes over the temporary file of the store (gone afterwards), or the bytes when the path is
  // empty. `facts` says number, MD5 (of bytes it may be left out) and checksums.
  io::Task<Result<PartFacts>> put_part(std::string id, PartFacts facts, std::string temporary_path,
                                       std::string bytes);
  io::Task<Result<std::vector<PartFacts>>> parts(std::string id);
  // Joins the parts, in this order, into a temporary file of the store. Gives its path.
  io::Task<Result<std::string>> join(std::string id, std::vector<int> numbers,
                                     std::string temporary_path);
  // Those that were begun before that moment and never completed. Gives how many there were.
  io::Task<Result<size_t>> remove_abandoned(int64_t before_ms);
  // Also the end of a completed upload. Ok when it is gone already.
  io::Task<Status> remove(std::string id);

 private:
  std::string directory_of(std::string_view id) const;
  std::string part_path(std::string_view id, int number) const;
  Result<UploadFacts> read_upload(const std::string& id);
  Result<PartFacts> read_part(const std::string& id, int number);
  Result<PartFacts> put_part_now(const std::string& id, PartFacts facts,
                                 const std::string& temporary, const std::string& bytes);
  Status remove_now(const std::string& id);
  Status join_now(const std::string& id, const std::vector<int>& numbers, const std::string& path);

  io::Files& files_;
  Clock& clock_;
  io::Pool& disk_;
  std::string root_;
};

}  // namespace pinpipe::objects
