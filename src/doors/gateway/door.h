// API Gateway in front of the REST proxy and of Kinesis: stages, API keys, throttling, its errors.
// Never a connection of its own to the proxy: app hands it the other door's handler.
//   /{stage}/topics/…   -> the REST proxy's /topics/…          /topics/…  the same, directly
//   /{stage}/streams/…  -> Kinesis, by the mapping templates   /streams/… the same, directly
// Behind a stage things are as on AWS: 10 MB of body, 29 seconds for an answer, a missing
// Content-Type becomes application/json. Directly they are the proxy's own.
// `/`, a bare stage, a stage off the list and what is unknown below /streams are 403 Missing
// Authentication Token; everything else reaches the REST proxy.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "doors/gateway/kinesis_call.h"
#include "doors/gateway/mapping.h"
#include "doors/gateway/rate.h"
#include "doors/gateway/streams.h"
#include "http/message.h"
#include "http/server.h"

namespace pinpipe::gateway {

class Door {
 public:
  struct Options {
    std::vector<std::string> stages{};    // none: any
    std::vector<std::string> api_keys{};  // none: not asked for
    double requests_per_second = 0;       // 0: not limited
    double burst = 0;
    Profile profile = Profile::exact;
    uint64_t staged_body_bytes_max = 10ULL << 20;  // API Gateway's limit, behind a stage
    uint64_t direct_body_bytes_max = 64ULL << 20;
    Millis answer_within{29'000};  // of the proxy, behind a stage; later it is a 504
  };

  // What stands behind. `rest` is needed; without `kinesis` there is no /streams; `operations` gets
  // /livez, /readyz and /metrics, or the REST proxy does.
  struct Behind {
    http::Handler rest;
    KinesisCall kinesis{};
    http::Handler operations{};
    // What the REST proxy takes as a body that comes while it is read; without it nothing is.
    std::function<http::BodyPlan(const http::Request&)> plan_rest_body{};
    // The REST proxy's shape for errors that the listener makes.
    std::function<void(const http::Request&, http::Response&)> shape_refusal{};
  };

  Door(Options options, Behind behind, const Clock& clock = system_clock());
  Door(const Door&) = delete;

  // The door must outlive it.
  http::Handler handler();

  // For the listener.
  http::BodyPlan plan_body(const http::Request& head) const;
  void shape_refusal(const http::Request& head, http::Response& refusal) const;

 private:
  io::Task<> handle(http::Request& request, http::Response& response);
  io::Task<> pass_on(bool staged, http::Request& request, http::Response& response);
  io::Task<> pass_on_in_time(http::Request& request, http::Response& response);
  bool is_admitted(const http::Request& request, http::Response& response);
  bool is_listed(std::string_view stage) const;

  Options options_;
  Behind behind_;
  const Clock& clock_;
  Rate rate_;
  Streams streams_;
};

}  // namespace pinpipe::gateway
