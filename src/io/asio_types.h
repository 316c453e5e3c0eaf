// Asio's types over our loop's executor, and the token that turns its errors into values. Only this
// room includes it.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <string_view>

#include "base/result.h"

namespace pinpipe::io {

using Executor = boost::asio::io_context::executor_type;
using Timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

// A deferred operation is started by the task that awaits it: it has no coroutine of its own.
inline constexpr auto tuple_awaitable = boost::asio::as_tuple(boost::asio::deferred);

Error error_of(const boost::system::error_code& error, std::string_view action);

}  // namespace pinpipe::io
