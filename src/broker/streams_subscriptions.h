// Who is being sent a shard's records as they come: one subscription per consumer and shard. A new
// one takes over from one that has lasted for a while and is refused before. Thread-safe.
// Bounds: one entry per consumer and shard that somebody is subscribed to.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/result.h"
#include "io/wake.h"

namespace pinpipe::broker {

class Subscriptions;

class Subscription {
 public:
  // Whether somebody else took over, or the consumer was removed.
  bool is_over() const;
  io::Signal& ended() { return ended_; }

 private:
  friend class Subscriptions;
  mutable std::mutex mutex_;
  bool over_ = false;
  int64_t began_ms_ = 0;
  io::Signal ended_;
};

class Subscriptions {
 public:
  static constexpr int64_t own_ms = 5'000;  // before it may be taken over

  // `conflict` while another one is younger than own_ms. It ends when it is dropped.
  Result<std::shared_ptr<Subscription>> begin(const Uuid& stream, std::string_view consumer,
                                              int32_t shard, int64_t now_ms);
  // Ends those of a consumer that is no more.
  void end(const Uuid& stream, std::string_view consumer);

 private:
  struct Key {
    Uuid stream;
    std::string consumer;
    int32_t shard = 0;
    auto operator<=>(const Key&) const = default;
  };
  static void end(Subscription& one);

  std::mutex mutex_;
  std::map<Key, std::weak_ptr<Subscription>> active_;
};

}  // namespace pinpipe::broker
