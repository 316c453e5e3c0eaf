#include "io/scope.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <future>
#include <string>

#include "base/check.h"
#include "base/log_line.h"
#include "io/asio_types.h"

namespace pinpipe::io {
namespace {

// Cancellation is a value in our waits, not an exception out of nowhere.
Task<> without_throwing(Task<> task) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_await std::move(task);
}

void stop_on_exception(std::string_view name, const std::exception_ptr& exception) {
  if (!exception) return;
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    log_error("io", "an exception left a task",
              {{"task", std::string(name)}, {"exception", e.what()}});
  } catch (...) {
    log_error("io", "an unknown exception left a task", {{"task", std::string(name)}});
  }
  CHECK(!exception, "no exception leaves a task");
}

}  // namespace

struct Scope::Children {
  struct Child {
    std::string name;
    boost::asio::cancellation_signal cancellation;
  };
  std::list<Child> list;
  std::list<Timer*> joiners;
};

Scope::Scope(Loop& loop) : loop_(loop), children_(std::make_unique<Children>()) {}

Scope::~Scope() {
  CHECK(children_->list.empty(), "a scope is joined before it is destroyed");
}

size_t Scope::size() const {
  return children_->list.size();
}

void Scope::spawn(std::string_view name, Task<> task) {
  CHECK(loop_.is_current(), "a scope spawns on its own loop");
  if (cancelled_) return;
  auto child = children_->list.emplace(children_->list.end());
  child->name = name;
  boost::asio::co_spawn(loop_.context().get_executor(), without_throwing(std::move(task)),
                        boost::asio::bind_cancellation_slot(
                            child->cancellation.slot(), [children = children_.get(), child](
                                                            const std::exception_ptr& exception) {
                              stop_on_exception(child->name, exception);
                              children->list.erase(child);
                              if (!children->list.empty()) return;
                              for (Timer* joiner : children->joiners) joiner->cancel();
                            }));
}

void Scope::cancel() {
  CHECK(loop_.is_current(), "a scope is cancelled on its own loop");
  cancelled_ = true;
  // A child that ends during emit() erases itself, hence the step ahead.
  for (auto at = children_->list.begin(); at != children_->list.end();) {
    auto child = at++;
    child->cancellation.emit(boost::asio::cancellation_type::all);
  }
}

// One turn of a join: until the last child ends or the caller is cancelled.
Task<> Scope::wait_for_end() {
  Timer timer(loop_.context(), Timer::time_point::max());
  auto at = children_->joiners.insert(children_->joiners.end(), &timer);
  (void)co_await timer.async_wait(tuple_awaitable);
  children_->joiners.erase(at);
}

Task<> Scope::join() {
  CHECK(loop_.is_current(), "a scope is joined on its own loop");
  while (!children_->list.empty()) co_await wait_for_end();
}

Task<> Scope::join_with_caller() {
  CHECK(loop_.is_current(), "a scope is joined on its own loop");
  while (!children_->list.empty()) {
    if (!cancelled_ && co_await cancelled()) {
      cancel();
    } else {
      co_await wait_for_end();
    }
  }
}

void run_on(Loop& loop, Task<> task) {
  CHECK(!Loop::on_a_loop(), "a loop never blocks on a task");
  std::promise<void> done;
  loop.post([&] {
    boost::asio::co_spawn(loop.context().get_executor(), without_throwing(std::move(task)),
                          [&](const std::exception_ptr& exception) {
                            stop_on_exception("run_on", exception);
                            done.set_value();
                          });
  });
  done.get_future().wait();
}

}  // namespace pinpipe::io
