// Tells a loop's sockets when the system has news of them: an epoll set of their own, which the
// loop's Asio watches as one descriptor. A set of our own says what Asio's does not: that the peer
// has ended its side. So a read that took all there was need not ask again before it waits.
// Bounds: news_max sockets in one turn of the loop; the others have theirs in the next.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <span>
#include <sys/epoll.h>

#include "base/result.h"

namespace pinpipe::io {

class Readiness {
 public:
  static constexpr size_t news_max = 64;

  // What may have changed; the next call shows it. A failure is all of it.
  struct News {
    bool can_read;
    bool can_write;
    bool has_ended;  // the peer sends nothing more: what is read last has no news behind it
  };
  class Watcher {
   public:
    virtual void on_news(const News& news) = 0;

   protected:
    ~Watcher() = default;
  };

  explicit Readiness(boost::asio::io_context& context);
  Readiness(const Readiness&) = delete;

  // From here on each change is told once, and first what is already there. On the loop.
  Status add(int descriptor, Watcher& watcher);
  // Nothing is told any more. The descriptor is still open.
  void remove(int descriptor, Watcher& watcher);

 private:
  void await_news();
  void tell_news();

  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> set_;
  std::span<epoll_event> being_told_;
};

}  // namespace pinpipe::io
