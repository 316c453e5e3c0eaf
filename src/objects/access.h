// A store as one principal may use it: every operation asks the policy first. Doors get this and
// never the store itself, so that forgetting to ask cannot be written.
//   Objects objects(store, policy);  auto mine = objects.as(principal);  co_await mine.get(…);
// Bucket operations ask about bucket:<name>, object operations about object:<bucket>/<key>.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "auth/policy.h"
#include "objects/store.h"

namespace pinpipe::objects {

class Access final : public Store {
 public:
  Access(Store& store, std::shared_ptr<const auth::Policy> policy, auth::Principal who)
      : store_(&store), policy_(std::move(policy)), who_(std::move(who)) {}

  io::Task<Status> create_bucket(std::string name) override;
  io::Task<Status> remove_bucket(std::string name) override;
  io::Task<Result<std::vector<BucketFacts>>> list_buckets() override;  // those it may know of
  io::Task<Result<BucketFacts>> find_bucket(std::string name) override;
  io::Task<Result<ObjectFacts>> put(std::string bucket, std::string key, std::string bytes,
                                    Attributes attributes, Condition condition) override;
  io::Task<Result<ObjectFacts>> adopt(std::string bucket, std::string temporary_path,
                                      std::string key, Attributes attributes, Condition condition,
                                      std::string etag = {}) override;
  std::string new_temporary() override { return store_->new_temporary(); }
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

  // Whether it may write an object there: to be asked before an upload's bytes are taken in.
  Status may_write(std::string_view bucket, std::string_view key) const;

 private:
  Status check_bucket(auth::Action action, std::string_view bucket) const;
  Status check_object(auth::Action action, std::string_view bucket, std::string_view key) const;

  Store* store_;
  std::shared_ptr<const auth::Policy> policy_;
  auth::Principal who_;
};

class Objects {
 public:
  using CurrentPolicy = std::function<std::shared_ptr<const auth::Policy>()>;
  // The policy may be exchanged at run time: each as() takes the present one.
  Objects(Store& store, CurrentPolicy policy) : store_(store), policy_(std::move(policy)) {}
  Access as(auth::Principal who) const { return {store_, policy_(), std::move(who)}; }

 private:
  Store& store_;
  CurrentPolicy policy_;
};

}  // namespace pinpipe::objects
