#include "objects/store.h"

#include "io/scope.h"

namespace pinpipe::objects {
namespace {

io::Task<> get_into(Store& store, std::string bucket, std::string key, Result<std::string>& slot) {
  slot = co_await store.get(std::move(bucket), std::move(key));
}

io::Task<> materialize_into(Store& store, std::string bucket, std::string key,
                            Result<Store::Pinned>& slot) {
  slot = co_await store.materialize(std::move(bucket), std::move(key));
}

}  // namespace

io::Task<std::vector<Result<std::string>>> Store::get_all(std::string bucket,
                                                          std::vector<std::string> keys) {
  std::vector<Result<std::string>> slots(keys.size(), Result<std::string>(std::string()));
  io::Scope scope(io::Loop::current());
  for (size_t i = 0; i < keys.size(); ++i)
    scope.spawn("get an object", get_into(*this, bucket, std::move(keys[i]), slots[i]));
  co_await scope.join();
  co_return slots;
}

io::Task<std::vector<Result<Store::Pinned>>> Store::materialize_all(std::string bucket,
                                                                    std::vector<std::string> keys) {
  std::vector<Result<Pinned>> slots(keys.size(), Result<Pinned>(Pinned{}));
  io::Scope scope(io::Loop::current());
  for (size_t i = 0; i < keys.size(); ++i)
    scope.spawn("fetch an object", materialize_into(*this, bucket, std::move(keys[i]), slots[i]));
  co_await scope.join();
  co_return slots;
}

}  // namespace pinpipe::objects
