// DeleteTopics (20), versions 0 to 6.
#include <vector>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

struct Asked {
  std::optional<std::string> name;
  Uuid id;
};

void write(Call& call, const Asked& asked, const Status& removed) {
  Encoder& out = call.out;
  if (call.version >= 6) {
    out.maybe_text(asked.name);
    out.uuid(asked.id);
  } else {
    out.text(asked.name.value_or(""));
  }
  bool by_id = !asked.id.is_zero() && !removed && removed.error().code() == Code::not_found;
  ErrorCode error = removed ? ErrorCode::none
                    : by_id ? ErrorCode::unknown_topic_id
                            : topic_error(removed.error());
  call.error(error);
  if (call.version >= 5) {
    if (removed)
      out.maybe_text(std::nullopt);
    else
      out.maybe_text(removed.error().text());
  }
  out.tags();
}

}  // namespace

io::Task<Status> handle_delete_topics(Call& call) {
  Decoder& in = call.in;
  std::vector<Asked> topics;
  in.each([&] {
    Asked& asked = topics.emplace_back();
    if (call.version >= 6) {
      if (auto name = in.maybe_text()) asked.name = *name;
      asked.id = in.uuid();
      in.tags();
    } else {
      asked.name = in.text();
    }
  });
  in.number<int32_t>();  // timeout
  in.tags();
  if (in.failed()) co_return malformed("DeleteTopics");
  if (call.version >= 1) call.throttle();
  call.out.count(topics.size());
  for (Asked& asked : topics) {
    Status removed;
    if (!asked.name) {
      auto found = call.cluster().find(asked.id);
      if (found)
        asked.name = (*found)->facts.name;
      else
        removed = found.error();
    }
    if (removed) removed = co_await call.cluster().remove(*asked.name);
    write(call, asked, removed);
  }
  call.out.tags();
  co_return Status{};
}

}  // namespace pinpipe::kafka
