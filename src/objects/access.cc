#include "objects/access.h"

namespace pinpipe::objects {

using auth::Action;
using auth::ResourceKind;

Status Access::check_bucket(Action action, std::string_view bucket) const {
  return policy_->check(who_, action, {ResourceKind::bucket, bucket});
}

Status Access::check_object(Action action, const std::string& bucket,
                            const std::string& key) const {
  return policy_->check(who_, action, {ResourceKind::object, bucket + "/" + key});
}

Status Access::may_write(const std::string& bucket, const std::string& key) const {
  return check_object(Action::write, bucket, key);
}

io::Task<Result<PassingStore::Place>> Access::place(const std::string& bucket,
                                                    const std::string& key, Use use) {
  Action action = use == Use::read    ? Action::read
                  : use == Use::write ? Action::write
                                      : Action::remove;
  if (Status may = check_object(action, bucket, key); !may) co_return may.error();
  co_return Place{.store = &behind(), .bucket = bucket, .key = key};
}

io::Task<Status> Access::create_bucket(std::string name) {
  if (Status may = check_bucket(Action::create, name); !may) co_return may;
  co_return co_await behind().create_bucket(std::move(name));
}

io::Task<Status> Access::remove_bucket(std::string name) {
  if (Status may = check_bucket(Action::remove, name); !may) co_return may;
  co_return co_await behind().remove_bucket(std::move(name));
}

io::Task<Result<std::vector<BucketFacts>>> Access::list_buckets() {
  auto buckets = co_await behind().list_buckets();
  if (buckets)
    std::erase_if(*buckets, [this](const BucketFacts& bucket) {
      return !check_bucket(Action::describe, bucket.name);
    });
  co_return buckets;
}

io::Task<Result<BucketFacts>> Access::find_bucket(std::string name) {
  if (Status may = check_bucket(Action::describe, name); !may) co_return may.error();
  co_return co_await behind().find_bucket(std::move(name));
}

io::Task<Result<Listing>> Access::list(std::string bucket, ListQuery query) {
  if (Status may = check_bucket(Action::read, bucket); !may) co_return may.error();
  co_return co_await behind().list(std::move(bucket), std::move(query));
}

}  // namespace pinpipe::objects
