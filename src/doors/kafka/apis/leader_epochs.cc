// OffsetForLeaderEpoch (23), versions 0 to 4: how a client learns that an unclean start cut a tail.
#include "doors/kafka/call.h"

namespace pinpipe::kafka {

io::Task<Status> handle_offset_for_leader_epoch(Call& call) {
  Decoder& in = call.in;
  Encoder& out = call.out;
  if (call.version >= 3) in.number<int32_t>();  // replica id
  if (call.version >= 2) call.throttle();
  size_t topics = in.count();
  out.count(topics);
  for (size_t i = 0; i < topics && !in.failed(); ++i) {
    std::string_view topic = in.text();
    out.text(topic);
    size_t partitions = in.count();
    out.count(partitions);
    for (size_t j = 0; j < partitions && !in.failed(); ++j) {
      auto partition = in.number<int32_t>();
      int32_t current = call.version >= 2 ? in.number<int32_t>() : -1;
      auto epoch = in.number<int32_t>();
      in.tags();
      auto log = call.cluster().partition(topic, partition, auth::Action::describe);
      ErrorCode error =
          log ? epoch_error(current, (*log)->leader_epoch()) : topic_error(log.error());
      log::EpochStart end{-1, -1};
      // Of an epoch that is still to come nothing is known.
      if (error == ErrorCode::none && epoch <= (*log)->leader_epoch())
        end = (*log)->end_of_epoch(epoch);
      call.error(error);
      out.number(partition);
      if (call.version >= 1) out.number(end.epoch);
      out.number(end.start);
      out.tags();
    }
    in.tags();
    out.tags();
  }
  in.tags();
  out.tags();
  if (in.failed()) co_return malformed("OffsetForLeaderEpoch");
  co_return Status{};
}

}  // namespace pinpipe::kafka
