// The v3 API, as far as clients that produce need it: which cluster this is, its topics with their
// partitions and settings (made, changed and deleted too), records one by one, as a stream and in
// batches. Bounds: batch_entries_max; stream_records_max records under way of one stream.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "broker/cluster.h"
#include "broker/topics.h"
#include "doors/rest/v3_record.h"
#include "http/message.h"

namespace pinpipe::rest {

class V3Calls {
 public:
  static constexpr size_t batch_entries_max = 10;  // as the original's
  static constexpr size_t stream_records_max = 1'000;

  // Who asks, what may be done with it, and the two ends of the call.
  struct Asked {
    broker::Topics& topics;
    broker::Cluster& cluster;
    http::Request& request;
    http::Response& response;
  };
  using Call = io::Task<> (*)(Asked);
  struct Route {
    std::string_view method;
    std::string_view pattern;
    Call call;
  };
  static std::span<const Route> routes();

  // Whether the request's records are to be taken while they come.
  static bool is_stream(const http::Request& head);

  static io::Task<> produce(Asked asked);
  static io::Task<> produce_batch(Asked asked);
};

// Places the records that have no refusal, and gives the others theirs; one Placed for each record.
io::Task<std::vector<broker::Placed>> place_v3(broker::Topics& topics, std::string topic,
                                               std::span<V3Record> records);

}  // namespace pinpipe::rest
