#include "io/loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/check.h"
#include "io/readiness.h"
#include "io/task.h"

namespace pinpipe::io {
namespace {
thread_local Loop* current_loop = nullptr;
}

Loop::Loop(size_t index)
    : index_(index),
      context_(std::make_unique<boost::asio::io_context>(/*concurrency_hint=*/1)),
      readiness_(std::make_unique<Readiness>(*context_)) {}

Loop::~Loop() = default;

void Loop::post(std::move_only_function<void()> work) {
  boost::asio::post(*context_, std::move(work));
}

Loop& Loop::current() {
  CHECK(current_loop != nullptr, "this code runs on a loop thread only");
  return *current_loop;
}

bool Loop::on_a_loop() {
  return current_loop != nullptr;
}

bool Loop::is_current() const {
  return current_loop == this;
}

void Loop::run() {
  CHECK(current_loop == nullptr, "a thread is one loop");
  current_loop = this;
  auto keep_running = boost::asio::make_work_guard(*context_);
  context_->run();
  current_loop = nullptr;
}

void Loop::stop() {
  context_->stop();
}

Task<bool> cancelled() {
  auto state = co_await boost::asio::this_coro::cancellation_state;
  co_return state.cancelled() != boost::asio::cancellation_type::none;
}

}  // namespace pinpipe::io
