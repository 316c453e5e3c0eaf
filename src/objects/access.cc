#include "objects/access.h"

namespace pinpipe::objects {

using auth::Action;
using auth::ResourceKind;

Status Access::check_bucket(Action action, std::string_view bucket) const {
  return policy_->check(who_, action, {ResourceKind::bucket, bucket});
}

Status Access::check_object(Action action, std::string_view bucket, std::string_view key) const {
  std::string name = std::string(bucket) + "/" + std::string(key);
  return policy_->check(who_, action, {ResourceKind::object, name});
}

Status Access::may_write(std::string_view bucket, std::string_view key) const {
  return check_object(Action::write, bucket, key);
}

io::Task<Status> Access::create_bucket(std::string name) {
  if (Status may = check_bucket(Action::create, name); !may) co_return may;
  co_return co_await store_->create_bucket(std::move(name));
}

io::Task<Status> Access::remove_bucket(std::string name) {
  if (Status may = check_bucket(Action::remove, name); !may) co_return may;
  co_return co_await store_->remove_bucket(std::move(name));
}

io::Task<Result<std::vector<BucketFacts>>> Access::list_buckets() {
  auto buckets = co_await store_->list_buckets();
  if (buckets)
    std::erase_if(*buckets, [this](const BucketFacts& bucket) {
      return !check_bucket(Action::describe, bucket.name);
    });
  co_return buckets;
}

io::Task<Result<BucketFacts>> Access::find_bucket(std::string name) {
  if (Status may = check_bucket(Action::describe, name); !may) co_return may.error();
  co_return co_await store_->find_bucket(std::move(name));
}

io::Task<Result<ObjectFacts>> Access::put(std::string bucket, std::string key, std::string bytes,
                                          Attributes attributes, Condition condition) {
  if (Status may = check_object(Action::write, bucket, key); !may) co_return may.error();
  co_return co_await store_->put(std::move(bucket), std::move(key), std::move(bytes),
                                 std::move(attributes), std::move(condition));
}

io::Task<Result<ObjectFacts>> Access::adopt(std::string bucket, std::string temporary_path,
                                            std::string key, Attributes attributes,
                                            Condition condition, std::string etag) {
  if (Status may = check_object(Action::write, bucket, key); !may) co_return may.error();
  co_return co_await store_->adopt(std::move(bucket), std::move(temporary_path), std::move(key),
                                   std::move(attributes), std::move(condition), std::move(etag));
}

io::Task<Result<ObjectFacts>> Access::head(std::string bucket, std::string key) {
  if (Status may = check_object(Action::read, bucket, key); !may) co_return may.error();
  co_return co_await store_->head(std::move(bucket), std::move(key));
}

io::Task<Result<std::unique_ptr<OpenObject>>> Access::open(std::string bucket, std::string key) {
  if (Status may = check_object(Action::read, bucket, key); !may) co_return may.error();
  co_return co_await store_->open(std::move(bucket), std::move(key));
}

io::Task<Result<std::string>> Access::get(std::string bucket, std::string key,
                                          std::optional<ByteRange> range) {
  if (Status may = check_object(Action::read, bucket, key); !may) co_return may.error();
  co_return co_await store_->get(std::move(bucket), std::move(key), range);
}

io::Task<Status> Access::remove(std::string bucket, std::string key, Condition condition) {
  if (Status may = check_object(Action::remove, bucket, key); !may) co_return may;
  co_return co_await store_->remove(std::move(bucket), std::move(key), std::move(condition));
}

io::Task<Result<ObjectFacts>> Access::copy(std::string from_bucket, std::string from_key,
                                           std::string to_bucket, std::string to_key,
                                           std::optional<Attributes> attributes,
                                           Condition condition) {
  Status may = check_object(Action::read, from_bucket, from_key);
  if (may) may = check_object(Action::write, to_bucket, to_key);
  if (!may) co_return may.error();
  co_return co_await store_->copy(std::move(from_bucket), std::move(from_key), std::move(to_bucket),
                                  std::move(to_key), std::move(attributes), std::move(condition));
}

io::Task<Result<Listing>> Access::list(std::string bucket, ListQuery query) {
  if (Status may = check_bucket(Action::read, bucket); !may) co_return may.error();
  co_return co_await store_->list(std::move(bucket), std::move(query));
}

io::Task<Result<Store::Pinned>> Access::materialize(std::string bucket, std::string key) {
  if (Status may = check_object(Action::read, bucket, key); !may) co_return may.error();
  co_return co_await store_->materialize(std::move(bucket), std::move(key));
}

}  // namespace pinpipe::objects
