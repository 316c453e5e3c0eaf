#include "broker/streams.h"
#include "broker/streams_rows.h"

namespace pinpipe::broker {

io::Task<Status> StreamAccess::add_consumer(StreamPointer stream, StreamConsumer consumer) {
  if (Status may = check(*stream, auth::Action::alter); !may) co_return may;
  Status put = co_await streams_.disk_.run(
      [&] { return stream_rows::insert_consumer(*streams_.database_, stream->name, consumer); });
  if (!put) co_return put;
  streams_.change(*stream, [&](Stream& next) { next.consumers[consumer.name] = consumer; });
  co_return Status{};
}

io::Task<Status> StreamAccess::remove_consumer(StreamPointer stream, std::string name) {
  if (Status may = check(*stream, auth::Action::alter); !may) co_return may;
  Status gone = co_await streams_.disk_.run(
      [&] { return stream_rows::remove_consumer(*streams_.database_, stream->name, name); });
  if (!gone) co_return gone;
  streams_.change(*stream, [&](Stream& next) { next.consumers.erase(name); });
  streams_.subscriptions_.end(stream->id, name);
  co_return Status{};
}

io::Task<Status> StreamAccess::tag_consumer(StreamPointer stream, std::string name,
                                            std::map<std::string, std::string> tags) {
  if (Status may = check(*stream, auth::Action::alter); !may) co_return may;
  Status put = co_await streams_.disk_.run(
      [&] { return stream_rows::tag_consumer(*streams_.database_, stream->name, name, tags); });
  if (!put) co_return put;
  streams_.change(*stream, [&](Stream& next) {
    auto found = next.consumers.find(name);
    if (found == next.consumers.end()) return;
    for (const auto& [key, value] : tags) found->second.tags[key] = value;
  });
  co_return Status{};
}

io::Task<Status> StreamAccess::untag_consumer(StreamPointer stream, std::string name,
                                              std::vector<std::string> keys) {
  if (Status may = check(*stream, auth::Action::alter); !may) co_return may;
  Status gone = co_await streams_.disk_.run(
      [&] { return stream_rows::untag_consumer(*streams_.database_, stream->name, name, keys); });
  if (!gone) co_return gone;
  streams_.change(*stream, [&](Stream& next) {
    auto found = next.consumers.find(name);
    if (found == next.consumers.end()) return;
    for (const std::string& key : keys) found->second.tags.erase(key);
  });
  co_return Status{};
}

Result<std::shared_ptr<Subscription>> StreamAccess::subscribe(const Stream& stream,
                                                              std::string_view consumer,
                                                              int32_t shard) {
  if (Status may = check(stream, auth::Action::read); !may) return may.error();
  return streams_.subscriptions_.begin(stream.id, consumer, shard, streams_.clock_.wall_ms());
}

bool StreamAccess::admit_action(std::string_view action, std::string_view subject,
                                double per_second) const {
  return !streams_.options_.aws_limits ||
         streams_.limits_.admit_action(action, subject, per_second, streams_.clock_.steady_ns());
}

}  // namespace pinpipe::broker
