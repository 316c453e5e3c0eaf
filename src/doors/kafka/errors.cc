#include "doors/kafka/errors.h"

namespace pinpipe::kafka {

ErrorCode topic_error(const Error& error) {
  switch (error.code()) {
    case Code::not_found:
      return ErrorCode::unknown_topic_or_partition;
    case Code::invalid:
      return ErrorCode::invalid_topic;
    case Code::denied:
      return ErrorCode::topic_authorization_failed;
    case Code::conflict:
      return ErrorCode::topic_already_exists;
    case Code::busy:
      return ErrorCode::throttling_quota_exceeded;
    case Code::timeout:
      return ErrorCode::request_timed_out;
    case Code::corrupt:
      return ErrorCode::corrupt_message;
    case Code::unavailable:
      return ErrorCode::kafka_storage_error;
    case Code::cancelled:
      return ErrorCode::network_exception;
    case Code::internal:
      return ErrorCode::unknown_server_error;
  }
  return ErrorCode::unknown_server_error;
}

ErrorCode fetch_error(const Error& error) {
  return error.code() == Code::invalid ? ErrorCode::offset_out_of_range : topic_error(error);
}

ErrorCode batch_error(log::Fault fault) {
  switch (fault) {
    case log::Fault::corrupt:
      return ErrorCode::corrupt_message;
    case log::Fault::unsupported_magic:
      return ErrorCode::invalid_record;  // in a request of these versions, as Kafka has it
    case log::Fault::unsupported_codec:
      return ErrorCode::unsupported_compression_type;
    case log::Fault::too_large:
      return ErrorCode::message_too_large;
    case log::Fault::invalid_timestamp:
      return ErrorCode::invalid_timestamp;
    case log::Fault::invalid_record:
      return ErrorCode::invalid_record;
    case log::Fault::out_of_order_sequence:
      return ErrorCode::out_of_order_sequence_number;
    case log::Fault::stale_producer_epoch:
      return ErrorCode::invalid_producer_epoch;
    // Clients try these again by themselves.
    case log::Fault::busy:
      return ErrorCode::not_leader_or_follower;
    case log::Fault::storage:
      return ErrorCode::kafka_storage_error;
    case log::Fault::closed:
      return ErrorCode::unknown_topic_or_partition;
  }
  return ErrorCode::unknown_server_error;
}

ErrorCode epoch_error(int32_t asked, int32_t ours) {
  if (asked < 0 || asked == ours) return ErrorCode::none;
  return asked < ours ? ErrorCode::fenced_leader_epoch : ErrorCode::unknown_leader_epoch;
}

ErrorCode group_error(broker::GroupFault fault) {
  using broker::GroupFault;
  switch (fault) {
    case GroupFault::none:
      return ErrorCode::none;
    case GroupFault::invalid_group_id:
      return ErrorCode::invalid_group_id;
    case GroupFault::invalid_session_timeout:
      return ErrorCode::invalid_session_timeout;
    case GroupFault::inconsistent_protocol:
      return ErrorCode::inconsistent_group_protocol;
    case GroupFault::unknown_member:
      return ErrorCode::unknown_member_id;
    case GroupFault::illegal_generation:
      return ErrorCode::illegal_generation;
    case GroupFault::rebalance_in_progress:
      return ErrorCode::rebalance_in_progress;
    case GroupFault::member_id_required:
      return ErrorCode::member_id_required;
    case GroupFault::fenced_instance:
      return ErrorCode::fenced_instance_id;
    case GroupFault::group_full:
      return ErrorCode::group_max_size_reached;
    case GroupFault::non_empty:
      return ErrorCode::non_empty_group;
    case GroupFault::not_found:
      return ErrorCode::group_id_not_found;
  }
  return ErrorCode::unknown_server_error;
}

ErrorCode group_access_error(const Error& error) {
  switch (error.code()) {
    case Code::not_found:
      return ErrorCode::group_id_not_found;
    case Code::invalid:
      return ErrorCode::offset_metadata_too_large;
    case Code::denied:
      return ErrorCode::group_authorization_failed;
    case Code::conflict:
      return ErrorCode::non_empty_group;
    case Code::busy:
    case Code::timeout:
    case Code::corrupt:
    case Code::unavailable:
    case Code::cancelled:
      return ErrorCode::coordinator_not_available;
    case Code::internal:
      return ErrorCode::unknown_server_error;
  }
  return ErrorCode::unknown_server_error;
}

}  // namespace pinpipe::kafka
