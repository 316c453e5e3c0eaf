// A task's stop on its own loop until somebody there resumes it or the task is cancelled: what the
// waits are made of that Asio does not have. Touched on that loop only.
// Bounds: one task at a time; a stop allocates nothing.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <functional>
#include <utility>

#include "io/loop.h"

namespace pinpipe::io {

class Pause {
 public:
  using Resume = std::move_only_function<void()>;

  Pause() = default;
  Pause(const Pause&) = delete;

  // To be awaited.
  auto wait() {
    return boost::asio::async_initiate<const boost::asio::deferred_t, void()>(
        [this](auto handler) { hold(std::move(handler)); }, boost::asio::deferred);
  }
  // What runs the task from here to its next stop, or nothing. The caller calls it.
  Resume take() { return std::exchange(resume_, nullptr); }
  void resume() {
    if (Resume resume = take()) resume();
  }
  // The same, but when the loop has done what lies before it.
  void resume_soon() {
    if (!resume_) return;
    Loop::current().post([resume = take()]() mutable { resume(); });
  }
  // Whether a cancellation has ended the last wait.
  bool is_cancelled() const { return cancelled_; }

 private:
  template <class Handler>
  void hold(Handler handler) {
    cancelled_ = false;
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
      slot.assign([this](boost::asio::cancellation_type) {
        cancelled_ = true;
        resume_soon();  // not from within the cancellation, which owns what would be resumed
      });
    }
    resume_ = [handler = std::move(handler)]() mutable {
      boost::asio::get_associated_cancellation_slot(handler).clear();
      std::move(handler)();
    };
  }

  Resume resume_;
  bool cancelled_ = false;
};

}  // namespace pinpipe::io
