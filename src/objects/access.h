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
#include "objects/passing_store.h"

namespace pinpipe::objects {

class Access final : public PassingStore {
 public:
  Access(Store& store, std::shared_ptr<const auth::Policy> policy, auth::Principal who)
      : PassingStore(store), policy_(std::move(policy)), who_(std::move(who)) {}

  io::Task<Status> create_bucket(std::string name) override;
  io::Task<Status> remove_bucket(std::string name) override;
  io::Task<Result<std::vector<BucketFacts>>> list_buckets() override;  // those it may know of
  io::Task<Result<BucketFacts>> find_bucket(std::string name) override;
  io::Task<Result<Listing>> list(std::string bucket, ListQuery query) override;

  // Whether it may write an object there: to be asked before an upload's bytes are taken in.
  Status may_write(const std::string& bucket, const std::string& key) const;

 private:
  io::Task<Result<Place>> place(const std::string& bucket, const std::string& key,
                                Use use) override;
  Status check_bucket(auth::Action action, std::string_view bucket) const;
  Status check_object(auth::Action action, const std::string& bucket, const std::string& key) const;

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
