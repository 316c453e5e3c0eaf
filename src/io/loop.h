// One thread that runs coroutines: sockets, timers and posted functions, nothing that blocks.
// What belongs to a loop is touched on that loop only; post() is the way in from anywhere else.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace pinpipe::io {

class Readiness;

class Loop {
 public:
  explicit Loop(size_t index);
  ~Loop();
  Loop(const Loop&) = delete;

  // Runs `work` on this loop soon, after what is already queued. From any thread.
  void post(std::move_only_function<void()> work);

  // The loop whose thread this is. A program error elsewhere.
  static Loop& current();
  static bool on_a_loop();
  bool is_current() const;

  size_t index() const { return index_; }
  boost::asio::io_context& context() { return *context_; }
  Readiness& readiness() { return *readiness_; }

  // Runs until stop(); called by the thread that becomes this loop.
  void run();
  void stop();

 private:
  size_t index_;
  std::unique_ptr<boost::asio::io_context> context_;
  std::unique_ptr<Readiness> readiness_;
};

}  // namespace pinpipe::io
