// A pool that keeps its work until the test says so: what arrives in between is seen as one group.
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "io/pool.h"

namespace pinpipe::kit {

class QueuedPool final : public io::Pool {
 public:
  bool submit(std::move_only_function<void()> work) override {
    queue_.push_back(std::move(work));
    return true;
  }
  // Runs what is queued and what that queues, on this thread.
  void run_all() {
    while (!queue_.empty()) run_one();
  }
  // Runs the work that has waited longest.
  void run_one() {
    auto work = std::move(queue_.front());
    queue_.pop_front();
    work();
  }
  // As a crash does.
  void forget_all() { queue_.clear(); }
  size_t size() const { return queue_.size(); }

 private:
  std::deque<std::move_only_function<void()>> queue_;
};

}  // namespace pinpipe::kit
