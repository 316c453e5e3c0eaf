// Threads for what blocks: disk, databases, large codecs. Values go in, values come out.
// Bounds: queue_max waiting pieces of work; a full queue makes run() answer busy and submit()
// false.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "io/loop.h"
#include "io/task.h"

namespace pinpipe::io {

class Pool {
 public:
  virtual ~Pool() = default;

  // Queues `work`; false when the queue is full. From any thread.
  [[nodiscard]] virtual bool submit(std::move_only_function<void()> work) = 0;

  // Runs `function` on the pool and resumes the caller on its own loop with what it returned. Not
  // cancellable once queued: a sync that has begun ends. `function` must not throw, and what it
  // captures by reference must outlive the await. A full queue is waited for on the caller's loop.
  template <class F>
  Task<std::invoke_result_t<F>> run(F function);

  // Does all of `work`, here and on threads that are idle, and returns when all of it is done.
  // Blocks: from a thread of a pool. This thread takes part, so it ends however busy the others
  // are.
  void run_all(std::vector<std::move_only_function<void()>> work);
};

// `threads` threads named after `name`.
class ThreadPool final : public Pool {
 public:
  static constexpr size_t queue_max = 65'536;

  ThreadPool(std::string name, size_t threads);
  ~ThreadPool() override;  // finishes what is queued, then joins

  bool submit(std::move_only_function<void()> work) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Runs work at once on the calling thread: for simulation and for commands that have no loops.
class InlinePool final : public Pool {
 public:
  bool submit(std::move_only_function<void()> work) override {
    work();
    return true;
  }
};

template <class F>
Task<std::invoke_result_t<F>> Pool::run(F function) {
  using Value = std::invoke_result_t<F>;
  using Executor = boost::asio::io_context::executor_type;
  using Slot = std::conditional_t<std::is_void_v<Value>, bool, std::optional<Value>>;
  Slot slot{};
  Loop& home = Loop::current();
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void()>(
      [this, &slot, &function, &home](auto handler) {
        bool queued = submit([&slot, &function, &home, resume = std::move(handler)]() mutable {
          if constexpr (std::is_void_v<Value>) {
            function();
          } else {
            slot.emplace(function());
          }
          home.post(std::move(resume));
        });
        CHECK(queued, "the pool's queue is larger than all bounded queues in front of it");
      },
      boost::asio::use_awaitable_t<Executor>{});
  if constexpr (!std::is_void_v<Value>) co_return std::move(*slot);
}

}  // namespace pinpipe::io
