// The memory that requests of all connections take together. A connection whose request does not
// fit waits its turn, in order of arrival, and its client is slowed by TCP meanwhile; nobody is
// refused. Memory comes back when the last user of a request lets go, which for a produce is the
// disk. Thread-safe. Bounds: bytes_max, but a single request is taken when nothing else is.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

#include "base/result.h"
#include "io/task.h"
#include "io/wake.h"

namespace pinpipe::kafka {

class RequestMemory : public std::enable_shared_from_this<RequestMemory> {
 public:
  explicit RequestMemory(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Not zeroed: pages that a lying size never fills are never touched. Null when there is no room
  // or others wait.
  std::shared_ptr<char[]> try_take(size_t size);
  io::Task<Result<std::shared_ptr<char[]>>> take(size_t size, io::Instant deadline);
  size_t used_bytes() const;

 private:
  struct Waiter {
    size_t size;
    io::OneShot<bool> granted;
    const void* who;
  };

  bool fits_locked(size_t size) const { return used_ == 0 || used_ + size <= bytes_max_; }
  std::shared_ptr<char[]> allocate(size_t size);
  void give_back(size_t size);

  const size_t bytes_max_;
  mutable std::mutex mutex_;
  size_t used_ = 0;
  std::deque<Waiter> waiters_;
};

}  // namespace pinpipe::kafka
