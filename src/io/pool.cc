#include "io/pool.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <vector>

namespace pinpipe::io {
namespace {

// Pieces of work that several threads take, each the next one. Shared with those that come too
// late.
struct Pieces {
  explicit Pieces(std::vector<std::move_only_function<void()>> all) : work(std::move(all)) {}

  void take_part() {
    std::unique_lock lock(mutex);
    while (next < work.size()) {
      auto& piece = work[next++];
      lock.unlock();
      piece();
      lock.lock();
      if (++done == work.size()) all_done.notify_all();
    }
  }
  void wait() {
    std::unique_lock lock(mutex);
    all_done.wait(lock, [this] { return done == work.size(); });
  }

  std::mutex mutex;
  std::condition_variable all_done;
  std::vector<std::move_only_function<void()>> work;
  size_t next = 0;
  size_t done = 0;
};

}  // namespace

void Pool::run_all(std::vector<std::move_only_function<void()>> work) {
  constexpr size_t helpers_max = 8;
  if (work.empty()) return;
  auto pieces = std::make_shared<Pieces>(std::move(work));
  size_t helpers = std::min(helpers_max, pieces->work.size() - 1);
  // A full queue has no idle threads to give.
  for (size_t i = 0; i < helpers; ++i) {
    if (!submit([pieces] { pieces->take_part(); })) break;
  }
  pieces->take_part();
  pieces->wait();
}

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable ready;
  std::deque<std::move_only_function<void()>> queue;
  bool ending = false;
  std::vector<std::thread> threads;

  void work_until_ended() {
    std::unique_lock lock(mutex);
    while (true) {
      ready.wait(lock, [&] { return ending || !queue.empty(); });
      if (queue.empty()) return;
      auto work = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
    }
  }
};

ThreadPool::ThreadPool(std::string name, size_t threads) : state_(std::make_unique<State>()) {
  for (size_t i = 0; i < threads; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->work_until_ended(); });
    pthread_setname_np(state_->threads.back().native_handle(), name.substr(0, 15).c_str());
  }
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->ending = true;
  }
  state_->ready.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

bool ThreadPool::submit(std::move_only_function<void()> work) {
  {
    std::lock_guard lock(state_->mutex);
    if (state_->queue.size() >= queue_max) return false;
    state_->queue.push_back(std::move(work));
  }
  state_->ready.notify_one();
  return true;
}

}  // namespace pinpipe::io
