#include "io/readiness.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace pinpipe::io {

Readiness::Readiness(boost::asio::io_context& context)
    : set_(context.get_executor(), ::epoll_create1(EPOLL_CLOEXEC)) {
  await_news();
}

Status Readiness::add(int descriptor, Watcher& watcher) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &watcher}};
  if (::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) == 0) return {};
  return error_of_errno(errno, "watch a socket");
}

void Readiness::remove(int descriptor, Watcher& watcher) {
  ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, descriptor, nullptr);
  for (epoll_event& event : being_told_) {
    if (event.data.ptr == &watcher) event.data.ptr = nullptr;
  }
}

void Readiness::await_news() {
  set_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                  [this](const boost::system::error_code& error) {
                    if (!error) tell_news();
                  });
}

void Readiness::tell_news() {
  std::array<epoll_event, news_max> events;
  int count = ::epoll_wait(set_.native_handle(), events.data(), static_cast<int>(news_max), 0);
  being_told_ = std::span(events).first(static_cast<size_t>(std::max(count, 0)));
  for (epoll_event& event : being_told_) {
    auto* watcher = static_cast<Watcher*>(event.data.ptr);
    if (watcher == nullptr) continue;  // what was told before has removed it
    auto has = [flags = event.events](uint32_t any) {
      return (flags & (any | EPOLLERR | EPOLLHUP)) != 0;
    };
    watcher->on_news({.can_read = has(EPOLLIN | EPOLLRDHUP),
                      .can_write = has(EPOLLOUT),
                      .has_ended = has(EPOLLRDHUP)});
  }
  being_told_ = {};
  await_news();
}

}  // namespace pinpipe::io
