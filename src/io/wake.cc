#include "io/wake.h"

#include <algorithm>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/container/small_vector.hpp>

#include "io/asio_types.h"
#include "io/loop.h"

namespace pinpipe::io {

Loop* Sleeper::mark_woken() {
  std::lock_guard lock(mutex_);
  return std::exchange(woken_, true) ? nullptr : loop_;
}

Task<Status> Sleeper::sleep(std::shared_ptr<Sleeper> self, Instant deadline) {
  auto state = co_await boost::asio::this_coro::cancellation_state;
  if (state.cancelled() != boost::asio::cancellation_type::none)
    co_return Error(Code::cancelled, "the task was cancelled");
  {
    std::lock_guard lock(self->mutex_);
    if (self->woken_) co_return Status{};
    self->loop_ = &Loop::current();
  }
  std::optional<Timer> timer;
  if (deadline != never) {
    timer.emplace(self->loop_->context(), deadline);
    timer->async_wait([self](const boost::system::error_code& error) {
      if (!error) self->interrupt();
    });
  }
  co_await self->pause_.wait();
  std::lock_guard lock(self->mutex_);
  self->loop_ = nullptr;
  if (self->woken_) co_return Status{};
  if (self->pause_.is_cancelled()) co_return Error(Code::cancelled, "the task was cancelled");
  co_return Error(Code::timeout, "the deadline passed");
}

void Wakes::add(std::shared_ptr<Sleeper> sleeper) {
  sleepers_.push_back(std::move(sleeper));
}

void Wakes::send() {
  boost::container::small_vector<std::pair<Loop*, std::shared_ptr<Sleeper>>, 8> asleep;
  for (std::shared_ptr<Sleeper>& sleeper : sleepers_) {
    if (Loop* loop = sleeper->mark_woken()) asleep.emplace_back(loop, std::move(sleeper));
  }
  sleepers_.clear();
  if (sleepers_.capacity() > kept_max) sleepers_.shrink_to_fit();
  for (auto& [loop, first] : asleep) {
    if (!first) continue;  // went with an earlier one
    std::shared_ptr<Sleeper> next = std::move(first);
    std::vector<std::shared_ptr<Sleeper>> more;
    for (auto& [another, sleeper] : asleep) {
      if (another == loop && sleeper) more.push_back(std::move(sleeper));
    }
    if (more.empty()) {  // nothing is allocated for one
      loop->post([sleeper = std::move(next)] { sleeper->interrupt(); });
      continue;
    }
    more.insert(more.begin(), std::move(next));
    loop->post([list = std::move(more)] {
      for (const auto& sleeper : list) sleeper->interrupt();
    });
  }
}

uint64_t Signal::version() const {
  std::lock_guard lock(mutex_);
  return version_;
}

void Signal::notify_all(Wakes& wakes) {
  std::vector<std::shared_ptr<Sleeper>> woken;
  {
    std::lock_guard lock(mutex_);
    ++version_;
    woken.swap(sleepers_);
  }
  for (auto& sleeper : woken) wakes.add(std::move(sleeper));
}

void Signal::notify_all() {
  Wakes wakes;
  notify_all(wakes);
}

bool Signal::add_unless_beyond(uint64_t version, const std::shared_ptr<Sleeper>& sleeper) {
  std::lock_guard lock(mutex_);
  if (version_ > version) return false;
  sleepers_.push_back(sleeper);
  return true;
}

void Signal::remove(const std::shared_ptr<Sleeper>& sleeper) {
  std::lock_guard lock(mutex_);
  std::erase(sleepers_, sleeper);
}

Task<Status> Signal::wait_beyond(uint64_t version, Instant deadline) {
  auto sleeper = std::make_shared<Sleeper>();
  if (!add_unless_beyond(version, sleeper)) co_return Status{};
  Status slept = co_await Sleeper::sleep(sleeper, deadline);
  if (!slept) remove(sleeper);
  co_return slept;
}

Task<Status> Signal::wait_any(std::vector<Watch> watches, Instant deadline) {
  auto sleeper = std::make_shared<Sleeper>();
  Status outcome;
  size_t added = 0;
  for (; added < watches.size(); ++added) {
    if (!watches[added].signal->add_unless_beyond(watches[added].version, sleeper)) break;
  }
  if (added == watches.size()) outcome = co_await Sleeper::sleep(sleeper, deadline);
  for (size_t i = 0; i < added; ++i) watches[i].signal->remove(sleeper);
  co_return outcome;
}

}  // namespace pinpipe::io
