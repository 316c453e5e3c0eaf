// Task<T>: a coroutine that runs on one loop thread and gives a T. Lazy: it starts when awaited or
// spawned into a Scope. Arguments of a spawned task are values; a directly awaited one may borrow.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace pinpipe::io {

// The executor is the loop's own type, not a type-erased one: no indirect call per resumption.
template <class T = void>
using Task = boost::asio::awaitable<T, boost::asio::io_context::executor_type>;

// True once the owner of the running task has cancelled it. Every wait in this room asks by itself;
// a long computation between waits asks here.
Task<bool> cancelled();

}  // namespace pinpipe::io
