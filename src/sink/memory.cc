#include "sink/memory.h"

#include "sink/object_sink.h"

namespace pinpipe::sink {

void Memory::give_back(size_t bytes) {
  held_bytes_ -= bytes;
  freed_.notify_all();
}

void Memory::end_upload() {
  --uploads_;
  freed_.notify_all();
}

io::Task<Status> Memory::wait_for_room() {
  while (is_full()) {
    uint64_t seen = freed_.version();
    if (uploads_ == 0) {
      ObjectSink* fullest = nullptr;
      for (ObjectSink* sink : sinks_) {
        if (fullest == nullptr || sink->largest_open_bytes() > fullest->largest_open_bytes())
          fullest = sink;
      }
      if (fullest != nullptr) fullest->close_largest();
    }
    if (uploads_ == 0) co_return Status{};  // what is held is held by nobody that could let go
    Status waited = co_await freed_.wait_beyond(seen, io::never);
    if (!waited) co_return waited;
  }
  co_return Status{};
}

}  // namespace pinpipe::sink
