// DescribeGroups (15), 0 to 5; ListGroups (16), 0 to 5; DeleteGroups (42), 0 to 2.
#include <algorithm>
#include <limits>
#include <vector>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

constexpr int32_t operations_not_asked = std::numeric_limits<int32_t>::min();

std::vector<std::string> decode_texts(Decoder& in) {
  std::vector<std::string> texts;
  in.each([&] { texts.emplace_back(in.text()); });
  return texts;
}

bool wanted(const std::vector<std::string>& filter, std::string_view word) {
  if (filter.empty()) return true;
  return std::ranges::any_of(filter, [&](const std::string& one) {
    return std::ranges::equal(one, word, [](char a, char b) { return (a | 32) == (b | 32); });
  });
}

void write_group(Call& call, ErrorCode error, const broker::GroupDescription& group) {
  Encoder& out = call.out;
  call.error(error);
  out.text(group.name);
  out.text(group.state);
  out.text(group.protocol_type);
  out.text(group.protocol);
  out.count(group.members.size());
  for (const auto& member : group.members) {
    out.text(member.id);
    if (call.version >= 4) out.maybe_text(member.instance_id);
    out.text(member.client_id);
    out.text(member.client_host);
    out.bytes(member.metadata);
    out.bytes(member.assignment);
    out.tags();
  }
  if (call.version >= 3) out.number(operations_not_asked);
  out.tags();
}

}  // namespace

io::Task<Status> handle_describe_groups(Call& call) {
  Decoder& in = call.in;
  std::vector<std::string> names = decode_texts(in);
  if (call.version >= 3) in.boolean();  // authorised operations
  in.tags();
  if (in.failed()) co_return malformed("DescribeGroups");
  if (call.version >= 1) call.throttle();
  call.out.count(names.size());
  for (const std::string& name : names) {
    auto described = call.cluster().describe_group(name);
    if (described) {
      write_group(call, ErrorCode::none, *described);
      continue;
    }
    // An unknown group is a dead one, in the words of these versions.
    broker::GroupDescription dead;
    dead.name = name;
    bool unknown = described.error().code() == Code::not_found;
    if (unknown) dead.state = "Dead";
    write_group(call, unknown ? ErrorCode::none : group_access_error(described.error()), dead);
  }
  call.out.tags();
  co_return Status{};
}

io::Task<Status> handle_list_groups(Call& call) {
  Decoder& in = call.in;
  Encoder& out = call.out;
  std::vector<std::string> states;
  std::vector<std::string> types;
  if (call.version >= 4) states = decode_texts(in);
  if (call.version >= 5) types = decode_texts(in);
  in.tags();
  if (in.failed()) co_return malformed("ListGroups");
  auto groups = call.cluster().list_groups();
  std::erase_if(groups, [&](const auto& group) {
    return !wanted(states, group.state) || !wanted(types, "classic");
  });
  if (call.version >= 1) call.throttle();
  call.error(ErrorCode::none);
  out.count(groups.size());
  for (const auto& group : groups) {
    out.text(group.name);
    out.text(group.protocol_type);
    if (call.version >= 4) out.text(group.state);
    if (call.version >= 5) out.text("classic");
    out.tags();
  }
  out.tags();
  co_return Status{};
}

io::Task<Status> handle_delete_groups(Call& call) {
  Decoder& in = call.in;
  std::vector<std::string> names = decode_texts(in);
  in.tags();
  if (in.failed()) co_return malformed("DeleteGroups");
  call.throttle();
  call.out.count(names.size());
  for (const std::string& name : names) {
    Status removed = co_await call.cluster().remove_group(name);
    call.out.text(name);
    call.error(removed ? ErrorCode::none : group_access_error(removed.error()));
    call.out.tags();
  }
  call.out.tags();
  co_return Status{};
}

}  // namespace pinpipe::kafka
