// The resource /streams of the gateway: Kinesis actions behind plain paths.
#pragma once

#include <string>

#include "doors/gateway/kinesis_call.h"
#include "doors/gateway/mapping.h"
#include "http/router.h"

namespace pinpipe::gateway {

class Streams {
 public:
  // Without a `kinesis` the resource does not exist.
  Streams(KinesisCall kinesis, Profile profile);
  Streams(const Streams&) = delete;

  // The target begins with /streams, the stage is gone.
  io::Task<> handle(http::Request& request, http::Response& response) const {
    return router_.handle(request, response);
  }

 private:
  io::Task<> list(http::Request& request, http::Response& response);
  io::Task<> describe(http::Request& request, http::Response& response);
  io::Task<> create(http::Request& request, http::Response& response);
  io::Task<> remove(http::Request& request, http::Response& response);
  io::Task<> put_record(http::Request& request, http::Response& response);
  io::Task<> put_records(http::Request& request, http::Response& response);
  io::Task<> get_records(http::Request& request, http::Response& response);
  io::Task<> get_iterator(http::Request& request, http::Response& response);

  using Method = io::Task<> (Streams::*)(http::Request&, http::Response&);
  void add(std::string_view method, std::string_view pattern, Method handler);
  io::Task<> call(std::string action, std::string body, http::Response& response) const;
  void answer(const std::string& action, KinesisAnswer said, http::Response& response) const;

  KinesisCall kinesis_;
  Profile profile_;
  http::Router router_;
};

}  // namespace pinpipe::gateway
