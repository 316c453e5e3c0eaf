// An S3 bucket service elsewhere: Amazon's, or anything that speaks its API.
// Promise: as every store's, so far as S3 keeps it: a put is whole or not there, conditions are
// decided by the server. What may have happened although its answer was lost is found out before it
// is tried again: a conditional put of ours is told from somebody else's by its ETag. An open
// object of more than open_bytes_max that is replaced meanwhile answers `conflict` rather than
// bytes of two versions. The result of a put does not tell modified_ms, which S3 does not either.
// The loops it was used on must outlive it. Bounds: part_bytes of each upload in memory; those of
// http::Client.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "auth/credentials.h"
#include "http/client.h"
#include "io/files.h"
#include "io/pool.h"
#include "objects/store.h"

namespace pinpipe::objects {

class RemoteStore final : public Store {
 public:
  static constexpr uint64_t open_bytes_max = 8 << 20;
  static constexpr uint64_t part_bytes = 16 << 20;
  static constexpr uint64_t parts_max = 10'000;

  struct Options {
    std::string endpoint;  // "http://127.0.0.1:4566"; empty: Amazon's of the region
    std::string region = "us-east-1";
    bool path_style = true;  // /bucket/key instead of bucket.host/key
    auth::Credential credential = {};
    std::string temporary_directory;  // made when absent
    std::string ca_file = {};
    int attempts_max = 4;
    Millis timeout{60'000};  // of one request
  };

  // `invalid` when the endpoint is no URL. Blocks.
  static Result<std::unique_ptr<RemoteStore>> open(Options options, io::Pool& disk,
                                                   io::Files& files = io::posix_files());
  ~RemoteStore() override;

  io::Task<Status> create_bucket(std::string name) override;
  io::Task<Status> remove_bucket(std::string name) override;
  io::Task<Result<std::vector<BucketFacts>>> list_buckets() override;
  io::Task<Result<BucketFacts>> find_bucket(std::string name) override;
  io::Task<Result<ObjectFacts>> put(std::string bucket, std::string key, std::string bytes,
                                    Attributes attributes, Condition condition) override;
  io::Task<Result<ObjectFacts>> adopt(std::string bucket, std::string temporary_path,
                                      std::string key, Attributes attributes, Condition condition,
                                      std::string etag = {}) override;
  std::string new_temporary() override;
  io::Task<Result<ObjectFacts>> head(std::string bucket, std::string key) override;
  io::Task<Result<std::unique_ptr<OpenObject>>> open(std::string bucket, std::string key) override;
  io::Task<Result<std::string>> get(std::string bucket, std::string key,
                                    std::optional<ByteRange> range = std::nullopt) override;
  io::Task<Status> remove(std::string bucket, std::string key, Condition condition = {}) override;
  io::Task<Result<ObjectFacts>> copy(std::string from_bucket, std::string from_key,
                                     std::string to_bucket, std::string to_key,
                                     std::optional<Attributes> attributes,
                                     Condition condition = {}) override;
  io::Task<Result<Listing>> list(std::string bucket, ListQuery query) override;
  io::Task<Result<Pinned>> materialize(std::string bucket, std::string key) override;

  // Where a request about this key goes; for links too.
  http::Url url_of(std::string_view bucket, std::string_view key,
                   std::string_view query = {}) const;
  // A link that anybody can GET (or PUT) for so long.
  std::string presign(std::string_view method, std::string_view bucket, std::string_view key,
                      int64_t lifetime_s) const;

 private:
  friend class RemoteObject;
  struct Call;
  struct Source;  // where an upload's bytes come from

  RemoteStore(Options options, http::Url base, io::Pool& disk, io::Files& files);
  http::Client& client();
  // One request, tried again as its kind allows. Not ok for any status but 2xx.
  io::Task<Result<http::Response>> send(Call call);
  io::Task<Result<http::Response>> send_once(const Call& call, http::Client::Retry retry);
  io::Task<Result<ObjectFacts>> put_whole(Call call);
  io::Task<Result<bool>> was_mine(std::string bucket, std::string key, std::string etag);
  io::Task<Result<ObjectFacts>> put_parts(Call call, std::shared_ptr<Source> source);
  io::Task<Result<std::string>> upload_parts(const Call& call, const std::string& id,
                                             Source& source);
  io::Task<Result<http::Response>> get_range(std::string bucket, std::string key, uint64_t offset,
                                             uint64_t size, std::string etag);
  io::Task<Status> download(std::string bucket, std::string key, std::string path);

  Options options_;
  http::Url base_;
  io::Pool& disk_;
  io::Files& files_;

  std::mutex mutex_;
  std::map<io::Loop*, std::unique_ptr<http::Client>> clients_;  // one per loop
  uint64_t temporaries_ = 0;
};

}  // namespace pinpipe::objects
