// Objects that a thread uses for a moment, again and again, and keeps for their buffers.
// Bounds: kept_max of them a thread; how much each holds on to is decided by its clear().
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace pinpipe {

// One of them for as long as this lives, cleared when it goes. It goes on the thread it came on.
template <class T, size_t kept_max>
class Spare {
 public:
  Spare() {
    if (kept().empty()) {
      one_ = std::make_unique<T>();
    } else {
      one_ = std::move(kept().back());
      kept().pop_back();
    }
  }
  ~Spare() {
    one_->clear();
    if (kept().size() < kept_max) kept().push_back(std::move(one_));
  }
  Spare(const Spare&) = delete;

  T& operator*() { return *one_; }
  T* operator->() { return one_.get(); }

 private:
  static std::vector<std::unique_ptr<T>>& kept() {
    thread_local std::vector<std::unique_ptr<T>> list;
    return list;
  }

  std::unique_ptr<T> one_;
};

}  // namespace pinpipe
