// Kafka's error numbers, and what ours are in them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "broker/groups.h"
#include "log/batch.h"

namespace pinpipe::kafka {

enum class ErrorCode : int16_t {
  unknown_server_error = -1,
  none = 0,
  offset_out_of_range = 1,
  corrupt_message = 2,
  unknown_topic_or_partition = 3,
  leader_not_available = 5,
  not_leader_or_follower = 6,
  request_timed_out = 7,
  message_too_large = 10,
  offset_metadata_too_large = 12,
  network_exception = 13,
  coordinator_not_available = 15,
  not_coordinator = 16,
  invalid_topic = 17,
  invalid_required_acks = 21,
  illegal_generation = 22,
  inconsistent_group_protocol = 23,
  invalid_group_id = 24,
  unknown_member_id = 25,
  invalid_session_timeout = 26,
  rebalance_in_progress = 27,
  topic_authorization_failed = 29,
  group_authorization_failed = 30,
  cluster_authorization_failed = 31,
  invalid_timestamp = 32,
  unsupported_version = 35,
  topic_already_exists = 36,
  invalid_partitions = 37,
  invalid_replication_factor = 38,
  invalid_replica_assignment = 39,
  invalid_config = 40,
  invalid_request = 42,
  policy_violation = 44,
  out_of_order_sequence_number = 45,
  invalid_producer_epoch = 47,
  kafka_storage_error = 56,
  non_empty_group = 68,
  group_id_not_found = 69,
  fetch_session_id_not_found = 70,
  invalid_fetch_session_epoch = 71,
  fenced_leader_epoch = 74,
  unknown_leader_epoch = 75,
  unsupported_compression_type = 76,
  member_id_required = 79,
  group_max_size_reached = 81,
  fenced_instance_id = 82,
  election_not_needed = 84,
  no_reassignment_in_progress = 85,
  group_subscribed_to_topic = 86,
  invalid_record = 87,
  throttling_quota_exceeded = 89,
  unknown_topic_id = 100,
  fetch_session_topic_id_error = 106,
};

// What went wrong with a topic or partition.
ErrorCode topic_error(const Error& error);
// What went wrong with a fetch position: `invalid` is a position outside the range.
ErrorCode fetch_error(const Error& error);
ErrorCode batch_error(log::Fault fault);
// A client that names a leader epoch knows of another one than ours; −1: it names none.
ErrorCode epoch_error(int32_t asked, int32_t ours);
ErrorCode group_error(broker::GroupFault fault);
// What went wrong before the coordinator was asked.
ErrorCode group_access_error(const Error& error);

}  // namespace pinpipe::kafka
