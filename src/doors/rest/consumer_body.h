// The bodies of the consumer API, as values. What is wrong with one is told in the API's own codes:
// 422 for what is missing or unknown, 42204 and 40001 for settings, 42206 for no body at all.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/consumer.h"
#include "doors/rest/errors.h"

namespace pinpipe::rest {

template <class T>
using Parsed = std::expected<T, Refusal>;

// {"name"?,"id"?,"format"?,"auto.offset.reset"?,"auto.commit.enable"?,"fetch.min.bytes"?,
//  "consumer.request.timeout.ms"?}; an empty body is one without fields. The name is made up when
// none is given.
Parsed<broker::ConsumerSpec> parse_consumer(std::string_view body, std::string group);

struct SubscriptionBody {
  std::vector<std::string> topics;
  std::string pattern;
};
// {"topics":[…]} or {"topic_pattern":"…"}
Parsed<SubscriptionBody> parse_subscription(std::string_view body);

// {"partitions":[{"topic","partition"}]}
Parsed<std::vector<broker::TopicPartition>> parse_partitions(std::string_view body);
// "orders:0,orders:1": the same for a query, since a body of GET gets lost on some ways.
Parsed<std::vector<broker::TopicPartition>> parse_partition_list(std::string_view text);

struct OffsetsBody {
  struct Offset {
    broker::TopicPartition where;
    broker::Offset offset = 0;
    std::string metadata;
  };
  struct Time {
    broker::TopicPartition where;
    int64_t timestamp_ms = 0;
  };
  std::vector<Offset> offsets;
  std::vector<Time> timestamps;
};
// {"offsets":[{"topic","partition","offset","metadata"?}],"timestamps"?:[{…,"timestamp":"ISO
// 8601"}]}
Parsed<OffsetsBody> parse_offsets(std::string_view body);

bool is_blank(std::string_view body);

}  // namespace pinpipe::rest
