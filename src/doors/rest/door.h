// The Kafka REST proxy: v2 whole (produce, topics, consumer instances), and of v3 what producers
// need. Stands in for the Confluent proxy on port 8082, with its codes, texts and quirks; errors
// carry one more sentence of help. Promise: an answer of 200 to a produce is given when every
// record without an error of its own is committed, as the topic's fsync setting says.
//
//   request ─► door: who, media types ─┬─► produce, topics (here)      broker::Topics
//                                      ├─► ConsumerCalls               broker::Consumers
//                                      └─► V3Calls                     broker::Cluster
//
// Bounds: body_bytes_max, which the listener enforces; scratch_max sets of buffers per loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "broker/cluster.h"
#include "broker/consumers.h"
#include "broker/topics.h"
#include "doors/rest/consumers.h"
#include "doors/rest/v3.h"
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
    uint64_t stream_bytes_max = 1ULL << 40;  // of a v3 stream, which is never held whole
  };

  // What only an embedded broker has: consumer instances and the v3 API. Without it they answer
  // 501. `cluster_of` also tells who asks.
  struct Inside {
    std::function<Result<broker::Cluster*>(const http::Request&)> cluster_of{};
    broker::Consumers* consumers = nullptr;
  };

  Door(Options options, TopicsOf topics_of, Inside inside);
  Door(Options options, TopicsOf topics_of) : Door(options, std::move(topics_of), Inside{}) {}
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
  void add(const ConsumerCalls::Route& route);
  void add(const V3Calls::Route& route);
  io::Task<> call_consumers(ConsumerCalls::Call call, http::Request& request,
                            http::Response& response);
  io::Task<> call_v3(V3Calls::Call call, http::Request& request, http::Response& response);

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
  Inside inside_;
  std::optional<ConsumerCalls> consumers_;
  http::Router router_;
};

}  // namespace pinpipe::rest
