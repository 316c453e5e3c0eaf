// Lets records into a stream, or keeps them waiting while its shards change. Thread-safe.
#pragma once

#include <mutex>

#include "io/wake.h"

namespace pinpipe::broker {

class StreamGate {
 public:
  bool enter() {
    std::lock_guard lock(mutex_);
    if (shut_) return false;
    ++inside_;
    return true;
  }
  void leave() {
    bool last = false;
    {
      std::lock_guard lock(mutex_);
      last = --inside_ == 0 && shut_;
    }
    if (last) moved_.notify_all();
  }
  // False when somebody else has shut it.
  bool shut() {
    std::lock_guard lock(mutex_);
    if (shut_) return false;
    shut_ = true;
    return true;
  }
  void open() {
    {
      std::lock_guard lock(mutex_);
      shut_ = false;
    }
    moved_.notify_all();
  }
  bool is_shut() const {
    std::lock_guard lock(mutex_);
    return shut_;
  }
  bool is_empty() const {
    std::lock_guard lock(mutex_);
    return inside_ == 0;
  }
  // Goes up when the last one inside has left a shut gate, and when the gate opens again.
  io::Signal& moved() { return moved_; }

 private:
  mutable std::mutex mutex_;
  int inside_ = 0;
  bool shut_ = false;
  io::Signal moved_;
};

}  // namespace pinpipe::broker
