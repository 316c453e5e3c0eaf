// Work on a pool that learns when its caller is cancelled: long computations that can stop early.
#pragma once

#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "io/pause.h"
#include "io/pool.h"

namespace pinpipe::io {

// Pool::run() for a `function(std::stop_token)`. Still waits until the function has returned,
// whatever it makes of the request to stop.
template <class F>
Task<std::invoke_result_t<F, std::stop_token>> run_stoppable(Pool& pool, F function) {
  std::stop_source source;
  std::optional<std::invoke_result_t<F, std::stop_token>> value;
  Pause done;
  bool has_ended = false;
  Loop& home = Loop::current();
  if (co_await cancelled()) source.request_stop();
  bool queued = pool.submit([&] {
    value.emplace(function(source.get_token()));
    home.post([&] {
      has_ended = true;
      done.resume();
    });
  });
  CHECK(queued, "the pool's queue is larger than all bounded queues in front of it");
  while (!has_ended) {
    co_await done.wait();
    if (done.is_cancelled()) source.request_stop();
  }
  co_return std::move(*value);
}

}  // namespace pinpipe::io
