#include "io/timer.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "io/asio_types.h"

namespace pinpipe::io {

Task<Status> sleep_until(Instant when) {
  if (co_await cancelled()) co_return Error(Code::cancelled, "the task was cancelled");
  Timer timer(co_await boost::asio::this_coro::executor, when);
  auto [error] = co_await timer.async_wait(tuple_awaitable);
  if (error) co_return Error(Code::cancelled, "the task was cancelled");
  co_return Status{};
}

}  // namespace pinpipe::io
