#include "broker/streams_subscriptions.h"

#include <vector>

namespace pinpipe::broker {

bool Subscription::is_over() const {
  std::lock_guard lock(mutex_);
  return over_;
}

void Subscriptions::end(Subscription& one) {
  {
    std::lock_guard lock(one.mutex_);
    one.over_ = true;
  }
  one.ended_.notify_all();
}

Result<std::shared_ptr<Subscription>> Subscriptions::begin(const Uuid& stream,
                                                           std::string_view consumer, int32_t shard,
                                                           int64_t now_ms) {
  auto next = std::make_shared<Subscription>();
  next->began_ms_ = now_ms;
  std::shared_ptr<Subscription> former;
  {
    std::lock_guard lock(mutex_);
    std::erase_if(active_, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<Subscription>& place = active_[{stream, std::string(consumer), shard}];
    former = place.lock();
    if (former && now_ms - former->began_ms_ < own_ms)
      return Error(Code::conflict, "another subscription has just begun");
    place = next;
  }
  if (former) end(*former);
  return next;
}

void Subscriptions::end(const Uuid& stream, std::string_view consumer) {
  std::vector<std::shared_ptr<Subscription>> found;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, one] : active_) {
      if (key.consumer != consumer || key.stream != stream) continue;
      if (auto alive = one.lock()) found.push_back(std::move(alive));
    }
  }
  for (const auto& one : found) end(*one);
}

}  // namespace pinpipe::broker
