// SubscribeToShard: a shard's records are sent to a registered consumer as they come, as messages
// of an event stream, over HTTP/2 or in chunks. Promise: each record after the starting position is
// sent once and in order; an event without records tells that the connection lives; at the end of a
// closed shard the last event names the children. It ends after life_ms, and with a message of type
// exception when another subscription takes over or the stream goes. Bounds:
// event_records_bytes_max of records in an event, or one record.
#pragma once

#include "doors/kinesis/action.h"

namespace pinpipe::kinesis {

inline constexpr Millis subscription_life{300'000};
inline constexpr Millis heartbeat_every{5'000};
inline constexpr size_t event_records_bytes_max = 1 << 20;

inline constexpr std::string_view start_types[] = {
    "AFTER_SEQUENCE_NUMBER", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "TRIM_HORIZON"};
inline constexpr Member start_members[] = {
    {.name = "SequenceNumber", .pattern = &sequence_pattern},
    {.name = "Timestamp", .type = Type::time},
    {.name = "Type", .required = true, .words = start_types},
};
inline constexpr Member subscribe_members[] = {
    {.name = "ConsumerARN",
     .required = true,
     .pattern = &consumer_arn_pattern,
     .least = 1,
     .most = 2048},
    {.name = "ShardId", .required = true, .pattern = &name_pattern, .least = 1, .most = 128},
    {.name = "StartingPosition",
     .type = Type::structure,
     .required = true,
     .members = start_members},
};

io::Task<Outcome> subscribe(const Call& call);

}  // namespace pinpipe::kinesis
