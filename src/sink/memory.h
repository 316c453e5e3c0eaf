// What all connectors together hold in memory: records in open files and in uploads under way.
// Promise: who waits for room gets it: when no upload is under way that would give some back, the
// largest open files are closed before their time. Bounds: bytes_max and uploads_max, passed by at
// most one fetch of each partition.
// Lives on the connectors' loop.
#pragma once

#include <cstddef>
#include <vector>

#include "io/wake.h"

namespace pinpipe::sink {

class ObjectSink;

class Memory {
 public:
  static constexpr size_t uploads_max = 512;

  explicit Memory(size_t bytes_max = 128 << 20) : bytes_max_(bytes_max) {}
  Memory(const Memory&) = delete;

  bool is_full() const { return held_bytes_ >= bytes_max_ || uploads_ >= uploads_max; }
  size_t held_bytes() const { return held_bytes_; }
  void hold(size_t bytes) { held_bytes_ += bytes; }
  void give_back(size_t bytes);
  void begin_upload() { ++uploads_; }
  void end_upload();

  // For as long as the sink runs.
  void join(ObjectSink& sink) { sinks_.push_back(&sink); }
  void leave(ObjectSink& sink) { std::erase(sinks_, &sink); }
  // Until there is room. Not ok only when cancelled.
  io::Task<Status> wait_for_room();

 private:
  size_t bytes_max_;
  size_t held_bytes_ = 0;
  size_t uploads_ = 0;
  std::vector<ObjectSink*> sinks_;
  io::Signal freed_;
};

}  // namespace pinpipe::sink
