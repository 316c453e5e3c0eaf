#include "io/runtime.h"

#include <algorithm>
#include <csignal>
#include <pthread.h>
#include <string>

namespace pinpipe::io {

Runtime::Runtime(Options options) {
  // A peer that went away is an error value of write(), never a signal.
  std::signal(SIGPIPE, SIG_IGN);
  size_t count = options.loops;
  if (count == 0) count = std::max<size_t>(1, std::thread::hardware_concurrency());
  disk_ = std::make_unique<ThreadPool>("disk", options.disk_threads);
  work_ = std::make_unique<ThreadPool>("work", options.work_threads);
  for (size_t i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<Loop>(i));
    threads_.emplace_back([loop = loops_.back().get()] { loop->run(); });
    pthread_setname_np(threads_.back().native_handle(), ("loop" + std::to_string(i)).c_str());
  }
}

Runtime::~Runtime() {
  // Pools first: what they still run posts its results to loops that are there.
  work_.reset();
  disk_.reset();
  for (auto& loop : loops_) loop->stop();
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace pinpipe::io
