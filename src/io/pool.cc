#include "io/pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <vector>

namespace pinpipe::io {

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
