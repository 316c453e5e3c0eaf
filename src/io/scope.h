// Owner of tasks: spawns them on one loop, cancels and joins them. Nothing runs that no scope owns.
// A scope lives on one loop; it must be joined before it is destroyed. An exception that leaves a
// task is a bug: it stops the process.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "io/loop.h"
#include "io/task.h"

namespace pinpipe::io {

class Scope {
 public:
  explicit Scope(Loop& loop);
  ~Scope();
  Scope(const Scope&) = delete;

  // Starts `task` on the scope's loop. On that loop only. A cancelled scope starts nothing: the
  // task is dropped.
  void spawn(std::string_view name, Task<> task);
  // Asks every child to end: its waits answer `cancelled`. On the scope's loop only.
  void cancel();
  // Until all children have ended. Not cut short by cancellation of the caller.
  Task<> join();
  // The same, but when the caller is cancelled, so are the children.
  Task<> join_with_caller();

  size_t size() const;
  bool is_cancelled() const { return cancelled_; }
  Loop& loop() const { return loop_; }

 private:
  struct Children;

  Task<> wait_for_end();

  Loop& loop_;
  bool cancelled_ = false;
  std::unique_ptr<Children> children_;
};

// Starts `task` on `loop` from any thread and blocks this thread until it ends. For main() and
// tests; never on a loop.
void run_on(Loop& loop, Task<> task);

template <class T>
T wait_on(Loop& loop, Task<T> task) {
  std::optional<T> result;
  run_on(loop, [](Task<T> inner, std::optional<T>& out) -> Task<> {
    out.emplace(co_await std::move(inner));
  }(std::move(task), result));
  return std::move(*result);
}

}  // namespace pinpipe::io
