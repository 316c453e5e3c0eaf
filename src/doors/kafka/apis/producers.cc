// InitProducerId (22), versions 0 to 5: for idempotent producers. Transactions are not offered.
#include "doors/kafka/call.h"

namespace pinpipe::kafka {

io::Task<Status> handle_init_producer_id(Call& call) {
  Decoder& in = call.in;
  auto transactional_id = in.maybe_text();
  in.number<int32_t>();  // transaction timeout
  int64_t known_id = -1;
  int16_t known_epoch = -1;
  if (call.version >= 3) {
    known_id = in.number<int64_t>();
    known_epoch = in.number<int16_t>();
  }
  in.tags();
  if (in.failed()) co_return malformed("InitProducerId");
  ErrorCode error = ErrorCode::none;
  int64_t id = -1;
  int16_t epoch = 0;
  if (transactional_id) {
    // There is no transaction coordinator to find, and FindCoordinator says so too.
    error = ErrorCode::invalid_request;
  } else if (known_id >= 0 && known_epoch >= 0 && known_epoch < 0x7ffe) {
    id = known_id;  // the producer begins again after an error, with the next epoch
    epoch = static_cast<int16_t>(known_epoch + 1);
  } else {
    auto fresh = co_await call.cluster().new_producer_id();
    if (fresh)
      id = *fresh;
    else
      error = ErrorCode::coordinator_not_available;
  }
  call.throttle();
  call.error(error);
  call.out.number(id);
  call.out.number(error == ErrorCode::none ? epoch : int16_t{-1});
  call.out.tags();
  co_return Status{};
}

}  // namespace pinpipe::kafka
