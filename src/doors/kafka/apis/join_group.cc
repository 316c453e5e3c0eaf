// JoinGroup (11), versions 0 to 9.
#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

broker::JoinRequest decode(Call& call) {
  Decoder& in = call.in;
  broker::JoinRequest request;
  request.group = in.text();
  request.session_timeout_ms = in.number<int32_t>();
  request.rebalance_timeout_ms =
      call.version >= 1 ? in.number<int32_t>() : request.session_timeout_ms;
  request.member_id = in.text();
  if (call.version >= 5) {
    if (auto instance = in.maybe_text()) request.instance_id = *instance;
  }
  request.protocol_type = in.text();
  in.each([&] {
    broker::GroupProtocol& protocol = request.protocols.emplace_back();
    protocol.name = in.text();
    protocol.metadata = in.maybe_bytes().value_or("");
    in.tags();
  });
  if (call.version >= 8) in.maybe_text();  // reason
  in.tags();
  request.client_id = call.client_id;
  request.client_host = "/" + call.session.peer.substr(0, call.session.peer.rfind(':'));
  request.may_require_member_id = call.version >= 4;
  request.knows_skip_assignment = call.version >= 9;
  return request;
}

void write(Call& call, ErrorCode error, const broker::JoinAnswer& answer) {
  Encoder& out = call.out;
  if (call.version >= 2) call.throttle();
  call.error(error);
  out.number(answer.generation);
  bool good = error == ErrorCode::none;
  if (call.version >= 7) {
    out.maybe_text(good ? std::optional<std::string_view>(answer.protocol_type) : std::nullopt);
    out.maybe_text(good ? std::optional<std::string_view>(answer.protocol) : std::nullopt);
  } else {
    out.text(answer.protocol);
  }
  out.text(answer.leader);
  if (call.version >= 9) out.boolean(answer.skip_assignment);
  out.text(answer.member_id);
  out.count(answer.members.size());
  for (const broker::GroupMember& member : answer.members) {
    out.text(member.id);
    if (call.version >= 5) out.maybe_text(member.instance_id);
    out.bytes(member.metadata);
    out.tags();
  }
  out.tags();
}

}  // namespace

io::Task<Status> handle_join_group(Call& call) {
  broker::JoinRequest request = decode(call);
  if (call.in.failed()) co_return malformed("JoinGroup");
  auto groups = call.cluster().groups(request.group, auth::Action::read);
  if (!groups) {
    broker::JoinAnswer refused;
    refused.member_id = request.member_id;
    write(call, group_access_error(groups.error()), refused);
    co_return Status{};
  }
  auto joined = (*groups)->join(std::move(request));
  auto answer = co_await joined.wait();
  if (!answer) co_return answer.error();
  write(call, group_error(answer->fault), *answer);
  co_return Status{};
}

}  // namespace pinpipe::kafka
