// How one thread tells a coroutine on a loop that something happened.
//   OneShot<T>: a value set once from any thread and awaited by one task on a loop.
//   Signal: "something changed", awaited by many; a version number makes sure none is missed.
//   Wakes: collects wake-ups so that each loop is posted to once, however many tasks it owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/pause.h"
#include "io/task.h"
#include "io/timer.h"

namespace pinpipe::io {

class Loop;

// The sleeping half of a OneShot or a Signal's waiter. Created anywhere, slept on once.
class Sleeper {
 public:
  // Ends the sleep that is under way or will begin, from any thread: the loop on which interrupt()
  // has to be called, if any.
  Loop* mark_woken();
  // Until woken (ok), the deadline (timeout) or cancellation (cancelled).
  static Task<Status> sleep(std::shared_ptr<Sleeper> self, Instant deadline);
  void interrupt() { pause_.resume(); }  // on the sleeper's loop only

 private:
  std::mutex mutex_;
  Loop* loop_ = nullptr;
  bool woken_ = false;
  Pause pause_;
};

class Wakes {
 public:
  static constexpr size_t kept_max = 1'024;  // that there stays room for

  Wakes() = default;
  Wakes(const Wakes&) = delete;
  ~Wakes() { send(); }
  void add(std::shared_ptr<Sleeper> sleeper);
  // One post per loop. Also done by the destructor.
  void send();

 private:
  std::vector<std::shared_ptr<Sleeper>> sleepers_;
};

template <class T>
class OneShot {
 public:
  OneShot() : state_(std::make_shared<State>()) {}

  // The first value counts. From any thread.
  void set(T value) {
    Wakes wakes;
    set(std::move(value), wakes);
  }
  void set(T value, Wakes& wakes) {
    if (put(std::move(value))) wakes.add(state_);
  }

  // The value, or timeout, or cancelled. At most one task waits, once.
  Task<Result<T>> wait(Instant deadline = never) { return wait_on(state_, deadline); }

 private:
  struct State : Sleeper {
    std::mutex mutex;
    std::optional<T> value;
  };

  bool put(T value) {
    std::lock_guard lock(state_->mutex);
    if (state_->value) return false;
    state_->value.emplace(std::move(value));
    return true;
  }

  static std::optional<T> take(State& state) {
    std::lock_guard lock(state.mutex);
    if (!state.value) return std::nullopt;
    return std::move(*state.value);
  }

  static Task<Result<T>> wait_on(std::shared_ptr<State> state, Instant deadline) {
    if (std::optional<T> early = take(*state)) co_return std::move(*early);
    Status slept = co_await Sleeper::sleep(state, deadline);
    if (std::optional<T> value = take(*state)) co_return std::move(*value);
    co_return slept ? Error(Code::internal, "woken without a value") : slept.error();
  }

  std::shared_ptr<State> state_;
};

// Waiters first read version(), then look at what they care about, then wait beyond that version: a
// change in between is seen at once.
class Signal {
 public:
  uint64_t version() const;
  void notify_all();
  void notify_all(Wakes& wakes);

  Task<Status> wait_beyond(uint64_t version, Instant deadline);

  // Until any of the signals goes beyond its version: for a fetch over many partitions.
  struct Watch {
    Signal* signal;
    uint64_t version;
  };
  static Task<Status> wait_any(std::vector<Watch> watches, Instant deadline);

 private:
  bool add_unless_beyond(uint64_t version, const std::shared_ptr<Sleeper>& sleeper);
  void remove(const std::shared_ptr<Sleeper>& sleeper);

  mutable std::mutex mutex_;
  uint64_t version_ = 0;
  std::vector<std::shared_ptr<Sleeper>> sleepers_;
};

}  // namespace pinpipe::io
