// FindCoordinator (10), versions 0 to 5: it is always us. There is no transaction coordinator.
#include <string>
#include <vector>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

constexpr int8_t of_groups = 0;

struct Answer {
  ErrorCode error = ErrorCode::none;
  std::optional<std::string_view> text;
};

void write_node(Call& call, bool known) {
  call.out.number(known ? node_id : -1);
  call.out.text(known ? call.session.host : "");
  call.out.number(known ? call.session.port : -1);
}

}  // namespace

io::Task<Status> handle_find_coordinator(Call& call) {
  Decoder& in = call.in;
  Encoder& out = call.out;
  std::vector<std::string> keys;
  int8_t type = of_groups;
  if (call.version < 4) keys.emplace_back(in.text());
  if (call.version >= 1) type = in.number<int8_t>();
  if (call.version >= 4) in.each([&] { keys.emplace_back(in.text()); });
  in.tags();
  if (in.failed()) co_return malformed("FindCoordinator");
  Answer answer;
  if (type != of_groups)
    answer = {ErrorCode::coordinator_not_available, "transactions are not supported"};
  bool known = answer.error == ErrorCode::none;
  if (call.version >= 1) call.throttle();
  if (call.version < 4) {
    call.error(answer.error);
    if (call.version >= 1) out.maybe_text(answer.text);
    write_node(call, known);
  } else {
    out.count(keys.size());
    for (const std::string& key : keys) {
      out.text(key);
      write_node(call, known);
      call.error(answer.error);
      out.maybe_text(answer.text);
      out.tags();
    }
  }
  out.tags();
  co_return Status{};
}

}  // namespace pinpipe::kafka
