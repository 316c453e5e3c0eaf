// What members of a group say: SyncGroup (14), 0 to 5; Heartbeat (12), 0 to 4; LeaveGroup (13), 0
// to 5.
#include <vector>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

std::optional<std::string> owned(std::optional<std::string_view> text) {
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

void write_sync(Call& call, ErrorCode error, const broker::SyncAnswer& answer) {
  Encoder& out = call.out;
  bool good = error == ErrorCode::none;
  if (call.version >= 1) call.throttle();
  call.error(error);
  if (call.version >= 5) {
    out.maybe_text(good ? std::optional<std::string_view>(answer.protocol_type) : std::nullopt);
    out.maybe_text(good ? std::optional<std::string_view>(answer.protocol) : std::nullopt);
  }
  out.bytes(answer.assignment);
  out.tags();
}

struct Leaver {
  std::string member_id;
  std::optional<std::string> instance_id;
};

}  // namespace

io::Task<Status> handle_sync_group(Call& call) {
  Decoder& in = call.in;
  broker::SyncRequest request;
  request.group = in.text();
  request.generation = in.number<int32_t>();
  request.member_id = in.text();
  if (call.version >= 3) request.instance_id = owned(in.maybe_text());
  if (call.version >= 5) {
    request.protocol_type = owned(in.maybe_text());
    request.protocol = owned(in.maybe_text());
  }
  in.each([&] {
    std::string member(in.text());
    request.assignments[member] = in.maybe_bytes().value_or("");
    in.tags();
  });
  in.tags();
  if (in.failed()) co_return malformed("SyncGroup");
  auto groups = call.cluster().groups(request.group, auth::Action::read);
  if (!groups) {
    write_sync(call, group_access_error(groups.error()), {});
    co_return Status{};
  }
  auto synced = (*groups)->sync(std::move(request));
  auto answer = co_await synced.wait();
  if (!answer) co_return answer.error();
  write_sync(call, group_error(answer->fault), *answer);
  co_return Status{};
}

io::Task<Status> handle_heartbeat(Call& call) {
  Decoder& in = call.in;
  broker::MemberRef who;
  who.group = in.text();
  who.generation = in.number<int32_t>();
  who.member_id = in.text();
  if (call.version >= 3) who.instance_id = in.maybe_text();
  in.tags();
  if (in.failed()) co_return malformed("Heartbeat");
  auto groups = call.cluster().groups(who.group, auth::Action::read);
  if (call.version >= 1) call.throttle();
  call.error(groups ? group_error((*groups)->heartbeat(who)) : group_access_error(groups.error()));
  call.out.tags();
  co_return Status{};
}

io::Task<Status> handle_leave_group(Call& call) {
  Decoder& in = call.in;
  Encoder& out = call.out;
  std::string group(in.text());
  std::vector<Leaver> leavers;
  if (call.version < 3) {
    leavers.push_back({std::string(in.text()), {}});
  } else {
    in.each([&] {
      Leaver& leaver = leavers.emplace_back();
      leaver.member_id = in.text();
      leaver.instance_id = owned(in.maybe_text());
      if (call.version >= 5) in.maybe_text();  // reason
      in.tags();
    });
  }
  in.tags();
  if (in.failed()) co_return malformed("LeaveGroup");
  auto groups = call.cluster().groups(group, auth::Action::read);
  std::vector<ErrorCode> outcomes;
  for (const Leaver& leaver : leavers) {
    if (!groups) break;
    std::optional<std::string_view> instance;
    if (leaver.instance_id) instance = *leaver.instance_id;
    outcomes.push_back(group_error((*groups)->leave(group, leaver.member_id, instance)));
  }
  if (call.version >= 1) call.throttle();
  if (!groups)
    call.error(group_access_error(groups.error()));
  else
    call.error(call.version < 3 ? outcomes.front() : ErrorCode::none);
  if (call.version >= 3) {
    out.count(outcomes.size());
    for (size_t i = 0; i < outcomes.size(); ++i) {
      out.text(leavers[i].member_id);
      out.maybe_text(leavers[i].instance_id);
      call.error(outcomes[i]);
      out.tags();
    }
  }
  out.tags();
  co_return Status{};
}

}  // namespace pinpipe::kafka
