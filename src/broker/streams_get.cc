#include <algorithm>
#include <iterator>

#include "broker/streams.h"
#include "broker/streams_gate.h"

namespace pinpipe::broker {
namespace {

constexpr size_t fetch_bytes_min = 64 << 10;
constexpr size_t record_bytes_guess = 2 << 10;

size_t size_of(const RecordOut& record) {
  return (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
}

Error no_shard(const std::string& stream, int32_t shard) {
  return Error(Code::not_found, "stream " + stream + " has no " + shard_id(shard));
}

}  // namespace

io::Task<Result<Offset>> StreamAccess::end_of(const Stream& stream, const Shard& shard) {
  if (shard.closed) co_return shard.closed->end;
  auto range = co_await topics_->range(stream.name, shard.number);
  if (!range) co_return range.error();
  co_return range->high_watermark;
}

io::Task<Result<Offset>> StreamAccess::start_of(const Stream& stream, const Shard& shard,
                                                StreamStart start) {
  switch (start.kind) {
    case StreamStart::Kind::horizon:
      co_return Offset{0};  // get() moves on to what there still is
    case StreamStart::Kind::offset:
      co_return start.value;
    case StreamStart::Kind::latest:
      co_return co_await end_of(stream, shard);
    case StreamStart::Kind::time:
      break;
  }
  auto end = co_await end_of(stream, shard);
  if (!end) co_return end.error();
  auto found = co_await topics_->offset_at(stream.name, shard.number, start.value);
  if (!found) co_return found.error();
  co_return std::min(found->value_or(*end), *end);
}

io::Task<Result<std::string>> StreamAccess::iterator(StreamPointer stream, int32_t shard,
                                                     StreamStart start) {
  const Shard* which = stream->find_shard(shard);
  if (which == nullptr) co_return no_shard(stream->name, shard);
  if (Status may = check(*stream, auth::Action::read); !may) co_return may.error();
  if (streams_.options_.aws_limits &&
      !streams_.limits_.admit_iterator(stream->id, shard, streams_.clock_.steady_ns()))
    co_return Error(Code::busy, "too many iterators of " + shard_id(shard));
  auto position = co_await start_of(*stream, *which, start);
  if (!position) co_return position.error();
  co_return seal({.kind = Ticket::Kind::iterator,
                  .stream_id = stream->id,
                  .shard = shard,
                  .position = *position,
                  .name = stream->name});
}

// Goes on from `from` until enough was read or `end` is reached. What is older than the retention
// is skipped: segments go later than records expire.
io::Task<Status> StreamAccess::read_until(StreamRead& read, Offset& from, Offset end,
                                          ReadBounds bounds) {
  const std::string& name = read.stream->name;
  const PartitionId shard = read.shard->number;
  const int64_t kept_ms = retention_ms(*read.stream);
  const int64_t horizon_ms = kept_ms < 0 ? INT64_MIN : streams_.clock_.wall_ms() - kept_ms;
  size_t bytes = 0;
  bool full = false;
  while (!full && from < end) {
    size_t missing = bounds.records_max - read.records.size();
    size_t guess = std::max(fetch_bytes_min, missing * record_bytes_guess);
    auto fetched = co_await topics_->fetch(name, shard, from, std::min(guess, bounds.bytes_max),
                                           io::after(Millis(0)));
    if (!fetched) co_return fetched.error();
    size_t before = read.records.size();
    bool expired = false;
    for (RecordOut& record : fetched->records) {
      if (record.offset >= end) break;
      if (record.timestamp_ms < horizon_ms) {
        expired = true;
        continue;
      }
      size_t size = size_of(record);
      bool first = read.records.empty();
      full =
          read.records.size() == bounds.records_max || (!first && bytes + size > bounds.bytes_max);
      if (full) break;
      bytes += size;
      from = record.offset + 1;
      read.records.push_back(std::move(record));
    }
    bool none = read.records.size() == before;
    if (!full) from = std::min(fetched->next, end);
    if (!none) read.fetched.push_back(std::move(*fetched));
    if (none && expired) {
      auto first = co_await topics_->offset_at(name, shard, horizon_ms);
      if (!first) co_return first.error();
      from = std::min(end, std::max(from, first->value_or(end)));
    }
    full = full || read.records.size() == bounds.records_max;
  }
  co_return Status{};
}

io::Task<Result<StreamRead>> StreamAccess::get(Ticket iterator, ReadBounds bounds) {
  const bool counts = streams_.options_.aws_limits;
  const Uuid id = iterator.stream_id;
  const int32_t shard = iterator.shard;
  if (counts && !streams_.limits_.admit_read(id, shard, streams_.clock_.steady_ns()))
    co_return Error(Code::busy, "too many reads of " + shard_id(shard));
  auto read = co_await read_at(std::move(iterator), bounds);
  if (read && counts) {
    size_t bytes = 0;
    for (const RecordOut& record : read->records) bytes += size_of(record);
    streams_.limits_.count_read(id, shard, bytes, streams_.clock_.steady_ns());
  }
  co_return std::move(read);
}

io::Task<Result<StreamRead>> StreamAccess::look(StreamPointer stream, int32_t shard,
                                                StreamStart start, ReadBounds bounds) {
  const Shard* which = stream->find_shard(shard);
  if (which == nullptr) co_return no_shard(stream->name, shard);
  auto position = co_await start_of(*stream, *which, start);
  if (!position) co_return position.error();
  co_return co_await read_at({.kind = Ticket::Kind::iterator,
                              .stream_id = stream->id,
                              .shard = shard,
                              .position = *position,
                              .name = stream->name},
                             bounds);
}

StreamWatch::StreamWatch(std::vector<std::shared_ptr<log::PartitionLog>> logs,
                         std::shared_ptr<StreamGate> gate)
    : logs_(std::move(logs)), gate_(std::move(gate)) {
  for (const auto& log : logs_) watches_.push_back({&log->grown(), log->grown().version()});
  watches_.push_back({&gate_->moved(), gate_->moved().version()});
}

io::Task<Status> StreamWatch::wait(io::Instant deadline) {
  return io::Signal::wait_any(watches_, deadline);
}

StreamWatch StreamAccess::watch(const Stream& stream) const {
  std::vector<std::shared_ptr<log::PartitionLog>> logs;
  for (int32_t shard : stream.open) {
    auto log = cluster_->partition(stream.name, shard, auth::Action::read);
    if (log) logs.push_back(std::move(*log));
  }
  return {std::move(logs), stream.gate};
}

io::Task<Result<StreamRead>> StreamAccess::follow(Ticket position, ReadBounds bounds,
                                                  Subscription& subscription,
                                                  io::Instant deadline) {
  while (true) {
    auto stream = find(position.name);
    if (!stream) co_return stream.error();
    auto log = cluster_->partition(position.name, position.shard, auth::Action::read);
    if (!log) co_return log.error();
    // Seen before it is read: what comes in between is not missed.
    std::vector<io::Signal::Watch> watches;
    for (io::Signal* signal : {&(*log)->grown(), &(*stream)->gate->moved(), &subscription.ended()})
      watches.push_back({signal, signal->version()});
    if (subscription.is_over())
      co_return Error(Code::cancelled, "another subscription took over, or its consumer is gone");
    auto read = co_await read_at(position, bounds);
    if (!read || !read->records.empty() || !read->next) co_return std::move(read);
    position.position = read->position;
    Status woken = co_await io::Signal::wait_any(std::move(watches), deadline);
    if (!woken && woken.error().code() == Code::timeout) co_return std::move(read);
    if (!woken) co_return woken.error();
    if ((*log)->is_closed()) co_return Error(Code::cancelled, "the stream is being closed");
  }
}

io::Task<Result<StreamRead>> StreamAccess::read_at(Ticket iterator, ReadBounds bounds) {
  auto stream = find(iterator.name);
  if (!stream) co_return stream.error();
  if ((*stream)->id != iterator.stream_id)
    co_return Error(Code::not_found, "stream " + iterator.name + " was created again");
  StreamRead read;
  read.stream = std::move(*stream);
  read.shard = read.stream->find_shard(iterator.shard);
  if (read.shard == nullptr) co_return no_shard(iterator.name, iterator.shard);
  auto range = co_await topics_->range(iterator.name, iterator.shard);
  if (!range) co_return range.error();
  Offset end = read.shard->closed ? read.shard->closed->end : range->high_watermark;
  Offset from = std::clamp(iterator.position, std::min(range->start, end), end);
  Status done = co_await read_until(read, from, end, bounds);
  if (!done) co_return done.error();
  if (from < end) {
    int64_t last_ms = read.records.empty() ? 0 : read.records.back().timestamp_ms;
    read.behind_ms = std::max<int64_t>(1, streams_.clock_.wall_ms() - last_ms);
  }
  read.position = from;
  if (read.shard->closed && from >= end) {
    read.children = read.stream->children_of(iterator.shard);
  } else {
    iterator.position = from;
    read.next = seal(std::move(iterator));
  }
  co_return std::move(read);
}

}  // namespace pinpipe::broker
