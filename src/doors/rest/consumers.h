// The consumer instances of the v2 API: /consumers/{group} and what lies below. The instances are
// the broker's; nothing of them lives here. Promise: records count as read once the whole answer
// was handed to the connection; an answer that could not be is given again.
// Bounds: broker::Consumer's.
#pragma once

#include "auth/principal.h"
#include "broker/consumers.h"
#include "doors/rest/media.h"
#include "http/message.h"

namespace pinpipe::rest {

class ConsumerCalls {
 public:
  explicit ConsumerCalls(broker::Consumers& consumers) : consumers_(consumers) {}

  // Each answers one request whose principal is known and whose media types are acceptable.
  using Call = io::Task<> (ConsumerCalls::*)(auth::Principal, http::Request&, http::Response&);
  struct Route {
    std::string_view method;
    std::string_view pattern;
    Call call;
  };
  static std::span<const Route> routes();

 private:
  using Instance = std::shared_ptr<broker::Consumer>;

  Instance find(const auth::Principal& who, const http::Request& request,
                http::Response& response) const;

  io::Task<> create(auth::Principal who, http::Request& request, http::Response& response);
  io::Task<> remove(auth::Principal who, http::Request& request, http::Response& response);
  io::Task<> subscribe(auth::Principal who, http::Request& request, http::Response& response);
  io::Task<> tell_subscription(auth::Principal who, http::Request& request,
                               http::Response& response);
  io::Task<> unsubscribe(auth::Principal who, http::Request& request, http::Response& response);
  io::Task<> assign(auth::Principal who, http::Request& request, http::Response& response);
  io::Task<> tell_assignment(auth::Principal who, http::Request& request, http::Response& response);
  io::Task<> seek(auth::Principal who, http::Request& request, http::Response& response);
  io::Task<> seek_to_beginning(auth::Principal who, http::Request& request,
                               http::Response& response);
  io::Task<> seek_to_end(auth::Principal who, http::Request& request, http::Response& response);
  io::Task<> seek_to(broker::Consumer::End end, auth::Principal who, http::Request& request,
                     http::Response& response);
  io::Task<> commit(auth::Principal who, http::Request& request, http::Response& response);
  io::Task<> tell_committed(auth::Principal who, http::Request& request, http::Response& response);
  io::Task<> read(auth::Principal who, http::Request& request, http::Response& response);

  broker::Consumers& consumers_;
};

}  // namespace pinpipe::rest
