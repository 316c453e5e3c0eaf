// CreatePartitions (37), 0 to 3, and DeleteRecords (21), 0 to 2.
#include <vector>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

ErrorCode trim_error(const Error& error) {
  return error.code() == Code::conflict ? ErrorCode::policy_violation : fetch_error(error);
}

struct Growth {
  std::string name;
  int32_t total = 0;
  bool assigns_others = false;
};

}  // namespace

io::Task<Status> handle_create_partitions(Call& call) {
  Decoder& in = call.in;
  std::vector<Growth> topics;
  in.each([&] {
    Growth& growth = topics.emplace_back();
    growth.name = in.text();
    growth.total = in.number<int32_t>();
    in.each([&] {
      if (in.numbers32() != std::vector<int32_t>{node_id}) growth.assigns_others = true;
      in.tags();
    });
    in.tags();
  });
  in.number<int32_t>();  // timeout
  bool validate_only = in.boolean();
  in.tags();
  if (in.failed()) co_return malformed("CreatePartitions");
  call.throttle();
  call.out.count(topics.size());
  for (const Growth& growth : topics) {
    Status grown = co_await call.cluster().add_partitions(growth.name, growth.total,
                                                          validate_only || growth.assigns_others);
    ErrorCode error = ErrorCode::none;
    if (!grown && grown.error().code() == Code::invalid) {
      error = ErrorCode::invalid_partitions;
    } else if (!grown && grown.error().code() == Code::busy) {
      error = ErrorCode::policy_violation;
    } else if (!grown) {
      error = topic_error(grown.error());
    } else if (growth.assigns_others) {
      error = ErrorCode::invalid_replica_assignment;
    }
    call.out.text(growth.name);
    call.error(error);
    if (grown)
      call.out.maybe_text(std::nullopt);
    else
      call.out.maybe_text(grown.error().text());
    call.out.tags();
  }
  call.out.tags();
  co_return Status{};
}

io::Task<Status> handle_delete_records(Call& call) {
  Decoder& in = call.in;
  Encoder& out = call.out;
  call.throttle();
  size_t topics = in.count();
  out.count(topics);
  for (size_t i = 0; i < topics && !in.failed(); ++i) {
    std::string topic(in.text());
    out.text(topic);
    size_t partitions = in.count();
    out.count(partitions);
    for (size_t j = 0; j < partitions && !in.failed(); ++j) {
      auto partition = in.number<int32_t>();
      auto offset = in.number<int64_t>();
      in.tags();
      if (in.failed()) break;
      auto start = co_await call.cluster().trim(topic, partition, offset);
      out.number(partition);
      out.number(start ? *start : int64_t{-1});
      call.error(start ? ErrorCode::none : trim_error(start.error()));
      out.tags();
    }
    in.tags();
    out.tags();
  }
  in.number<int32_t>();  // timeout
  in.tags();
  out.tags();
  if (in.failed()) co_return malformed("DeleteRecords");
  co_return Status{};
}

}  // namespace pinpipe::kafka
