// The Kafka REST proxy, v2: produce, and what topics there are. Stands in for the Confluent proxy
// on port 8082, with its codes, texts and quirks; errors carry one more sentence of help. Promise:
// an answer of 200 to a produce is given when every record without an error of its own is
// committed, as the topic's fsync setting says.
// Bounds: body_bytes_max, which the listener enforces; scratch_max sets of buffers per loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "broker/topics.h"
#include "http/router.h"
#include "http/server.h"

namespace pinpipe::rest {

class Door {
 public:
  static constexpr size_t scratch_max = 64;

  // The topics as the sender of a request may use them; `denied` becomes 401/40101.
  using TopicsOf = std::function<Result<broker::Topics*>(const http::Request&)>;

  struct Options {
    int32_t broker_id = 1;  // what GET /brokers and replicas say
    uint64_t body_bytes_max = 64ULL << 20;
  };

  Door(Options options, TopicsOf topics_of);
  ~Door();
  Door(const Door&) = delete;

  // Answers everything: what is not there gets the API's own 404. The door must outlive it.
  http::Handler handler();

  // For the listener: how large a body may be, and errors in the API's shape.
  http::BodyPlan plan_body(const http::Request& head) const;
  static void shape_refusal(const http::Request& head, http::Response& refusal);

 private:
  using TopicsHandler = io::Task<> (Door::*)(broker::Topics&, http::Request&, http::Response&);

  void add(std::string_view method, std::string_view pattern, TopicsHandler handler);

  io::Task<> say_nothing(broker::Topics& topics, http::Request& request, http::Response& response);
  io::Task<> list_brokers(broker::Topics& topics, http::Request& request, http::Response& response);
  io::Task<> list_topics(broker::Topics& topics, http::Request& request, http::Response& response);
  io::Task<> tell_topic(broker::Topics& topics, http::Request& request, http::Response& response);
  io::Task<> list_partitions(broker::Topics& topics, http::Request& request,
                             http::Response& response);
  io::Task<> tell_partition(broker::Topics& topics, http::Request& request,
                            http::Response& response);
  io::Task<> tell_offsets(broker::Topics& topics, http::Request& request, http::Response& response);
  io::Task<> produce(broker::Topics& topics, http::Request& request, http::Response& response);

  Options options_;
  TopicsOf topics_of_;
  http::Router router_;
};

}  // namespace pinpipe::rest
