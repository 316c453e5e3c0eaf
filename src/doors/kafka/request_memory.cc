#include "doors/kafka/request_memory.h"

#include <algorithm>

namespace pinpipe::kafka {

std::shared_ptr<char[]> RequestMemory::allocate(size_t size) {
  return {new char[size], [memory = shared_from_this(), size](const char* bytes) {
            delete[] bytes;
            memory->give_back(size);
          }};
}

std::shared_ptr<char[]> RequestMemory::try_take(size_t size) {
  {
    std::lock_guard lock(mutex_);
    if (!waiters_.empty() || !fits_locked(size)) return nullptr;
    used_ += size;
  }
  return allocate(size);
}

io::Task<Result<std::shared_ptr<char[]>>> RequestMemory::take(size_t size, io::Instant deadline) {
  io::OneShot<bool> granted;
  {
    std::lock_guard lock(mutex_);
    bool at_once = waiters_.empty() && fits_locked(size);
    if (at_once) {
      used_ += size;
      granted.set(true);
    } else {
      waiters_.push_back({size, granted, &granted});
    }
  }
  auto answer = co_await granted.wait(deadline);
  if (answer) co_return allocate(size);
  std::unique_lock lock(mutex_);
  auto waiting = std::ranges::find(waiters_, &granted, &Waiter::who);
  bool still_waits = waiting != waiters_.end();
  if (still_waits) waiters_.erase(waiting);
  lock.unlock();
  // It was granted at the same moment.
  if (!still_waits) give_back(size);
  co_return answer.error();
}

void RequestMemory::give_back(size_t size) {
  io::Wakes wakes;
  {
    std::lock_guard lock(mutex_);
    used_ -= size;
    while (!waiters_.empty() && fits_locked(waiters_.front().size)) {
      used_ += waiters_.front().size;
      waiters_.front().granted.set(true, wakes);
      waiters_.pop_front();
    }
  }
  wakes.send();
}

size_t RequestMemory::used_bytes() const {
  std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace pinpipe::kafka
