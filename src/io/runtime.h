// The threads of one process: N loops and the two pools. Made first, destroyed last.
#pragma once

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "io/loop.h"
#include "io/pool.h"

namespace pinpipe::io {

class Runtime {
 public:
  struct Options {
    size_t loops = 0;  // 0: one per core
    size_t disk_threads = 8;
    size_t work_threads = 2;
  };

  explicit Runtime(Options options);
  Runtime() : Runtime(Options{}) {}
  // Every scope on the loops must have been joined.
  ~Runtime();
  Runtime(const Runtime&) = delete;

  Loop& loop(size_t index) { return *loops_[index]; }
  size_t loop_count() const { return loops_.size(); }
  Pool& disk() { return *disk_; }
  Pool& work() { return *work_; }

 private:
  std::unique_ptr<ThreadPool> disk_;
  std::unique_ptr<ThreadPool> work_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::thread> threads_;
};

}  // namespace pinpipe::io
