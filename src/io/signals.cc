#include "io/signals.h"

#include <boost/asio/basic_signal_set.hpp>
#include <csignal>
#include <unistd.h>

#include "io/asio_types.h"
#include "io/loop.h"

namespace pinpipe::io {
namespace {
extern "C" void end_now(int number) {
  _exit(128 + number);
}
}  // namespace

Task<Result<int>> wait_for_signal() {
  if (co_await cancelled()) co_return Error(Code::cancelled, "the task was cancelled");
  int number = 0;
  {
    boost::asio::basic_signal_set<Executor> set(Loop::current().context(), SIGINT, SIGTERM);
    auto [error, got] = co_await set.async_wait(tuple_awaitable);
    if (error) co_return error_of(error, "wait for a signal");
    number = got;
  }
  std::signal(SIGINT, end_now);
  std::signal(SIGTERM, end_now);
  co_return number;
}

Task<Status> wait_for_interrupt() {
  if (co_await cancelled()) co_return Error(Code::cancelled, "the task was cancelled");
  boost::asio::basic_signal_set<Executor> set(Loop::current().context(), SIGINT);
  auto [error, number] = co_await set.async_wait(tuple_awaitable);
  if (error) co_return error_of(error, "wait for an interrupt");
  co_return Status{};
}

}  // namespace pinpipe::io
