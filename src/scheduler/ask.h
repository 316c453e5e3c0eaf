// How a question reaches the scheduler's loop; shared by the files that define its operations.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "scheduler/scheduler.h"

namespace pinpipe::scheduler {

template <class T>
io::Task<Result<T>> Scheduler::ask(std::move_only_function<Result<T>()> work) {
  constexpr Millis answer_wait_max{60'000};
  struct Box {
    io::OneShot<std::shared_ptr<Result<T>>> answer;
  };
  auto box = std::make_shared<Box>();
  {
    std::lock_guard lock(mutex_);
    if (requests_.size() >= requests_max) {
      co_return Error(Code::busy, "too many requests wait for the scheduler");
    }
    requests_.push_back([this, box, ask_for = std::move(work)]() mutable {
      auto result = std::make_shared<Result<T>>(ask_for());
      answers_.push_back([box, result] { box->answer.set(result); });
    });
  }
  signal_.notify_all();
  auto answer = co_await box->answer.wait(io::after(answer_wait_max));
  if (!answer) co_return answer.error();
  co_return std::move(**answer);
}

}  // namespace pinpipe::scheduler
