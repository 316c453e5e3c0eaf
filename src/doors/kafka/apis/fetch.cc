// Fetch (1), versions 4 to 17. Sessions are declined: the answer's session id is 0, and every
// client then sends whole requests.
#include <algorithm>
#include <map>
#include <vector>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

constexpr int16_t ids_from = 13;
constexpr int16_t zstd_from = 10;
constexpr int zstd_codec = 4;
constexpr int32_t wait_max_ms = 60'000;

struct Asked {
  int32_t partition = 0;
  int32_t leader_epoch = -1;
  int64_t offset = 0;
  int32_t bytes_max = 0;
  ErrorCode error = ErrorCode::none;
  std::optional<size_t> part;  // its place in what the broker is asked
};

struct AskedTopic {
  std::string name;
  Uuid id;
  std::vector<Asked> partitions;
};

struct Request {
  int32_t wait_ms = 0;
  int32_t bytes_min = 0;
  int32_t bytes_max = 0;
  int32_t session_id = 0;
  std::vector<AskedTopic> topics;
};

AskedTopic decode_topic(Call& call) {
  Decoder& in = call.in;
  AskedTopic topic;
  if (call.version >= ids_from)
    topic.id = in.uuid();
  else
    topic.name = in.text();
  in.each([&] {
    Asked asked;
    asked.partition = in.number<int32_t>();
    if (call.version >= 9) asked.leader_epoch = in.number<int32_t>();
    asked.offset = in.number<int64_t>();
    if (call.version >= 12) in.number<int32_t>();  // last fetched epoch: of followers
    if (call.version >= 5) in.number<int64_t>();   // log start offset: of followers
    asked.bytes_max = in.number<int32_t>();
    in.tags();
    topic.partitions.push_back(asked);
  });
  in.tags();
  return topic;
}

Result<Request> decode(Call& call) {
  Decoder& in = call.in;
  Request request;
  if (call.version < 15) in.number<int32_t>();  // replica id
  request.wait_ms = std::clamp(in.number<int32_t>(), 0, wait_max_ms);
  request.bytes_min = in.number<int32_t>();
  request.bytes_max = in.number<int32_t>();
  in.number<int8_t>();  // isolation: without transactions both read the same
  if (call.version >= 7) {
    request.session_id = in.number<int32_t>();
    in.number<int32_t>();  // session epoch
  }
  in.each([&] { request.topics.push_back(decode_topic(call)); });
  if (call.version >= 7) {
    in.each([&] {  // forgotten topics: of sessions
      if (call.version >= ids_from)
        in.uuid();
      else
        in.text();
      in.numbers32();
      in.tags();
    });
  }
  if (call.version >= 11) in.text();  // rack
  in.tags();
  if (in.failed()) return malformed("Fetch");
  return request;
}

ErrorCode check_epoch(int32_t asked, int32_t ours) {
  if (asked < 0 || asked == ours) return ErrorCode::none;
  return asked < ours ? ErrorCode::fenced_leader_epoch : ErrorCode::unknown_leader_epoch;
}

bool holds_zstd(std::string_view bytes) {
  log::BatchCursor batches(bytes);
  std::string_view batch;
  for (log::BatchHeader header; batches.next(header, batch);) {
    if (header.codec() == zstd_codec) return true;
  }
  return false;
}

// Finds the topics and says what the broker is to be asked.
std::vector<broker::FetchPart> resolve(Call& call, Request& request) {
  std::vector<broker::FetchPart> parts;
  for (AskedTopic& topic : request.topics) {
    auto found =
        call.version >= ids_from ? call.cluster().find(topic.id) : call.cluster().find(topic.name);
    if (found) topic.name = (*found)->facts.name;
    for (Asked& asked : topic.partitions) {
      if (!found) {
        bool by_id = call.version >= ids_from && found.error().code() == Code::not_found;
        asked.error = by_id ? ErrorCode::unknown_topic_id : topic_error(found.error());
        continue;
      }
      auto index = static_cast<size_t>(asked.partition);
      if (asked.partition < 0 || index >= (*found)->logs.size()) {
        asked.error = ErrorCode::unknown_topic_or_partition;
        continue;
      }
      asked.error = check_epoch(asked.leader_epoch, (*found)->logs[index]->leader_epoch());
      if (asked.error != ErrorCode::none) continue;
      asked.part = parts.size();
      parts.push_back({.topic = topic.name,
                       .partition = asked.partition,
                       .from = asked.offset,
                       .bytes_max = static_cast<size_t>(std::max(asked.bytes_max, 0))});
    }
  }
  return parts;
}

void write_partition(Call& call, const Asked& asked, broker::FetchedPart* part) {
  Encoder& out = call.out;
  ErrorCode error = asked.error;
  if (part != nullptr && part->error) error = fetch_error(*part->error);
  if (part != nullptr && call.version < zstd_from && holds_zstd(part->slice.bytes()))
    error = ErrorCode::unsupported_compression_type;
  bool good = part != nullptr && error == ErrorCode::none;
  int64_t high_watermark = part != nullptr ? part->range.high_watermark : -1;
  out.number(asked.partition);
  call.error(error);
  out.number(high_watermark);
  out.number(high_watermark);  // the last stable offset: there are no transactions
  if (call.version >= 5) out.number(part != nullptr ? part->range.start : int64_t{-1});
  out.null_array();  // aborted transactions
  if (call.version >= 11) out.number(int32_t{-1});
  out.records(good ? std::move(part->slice) : log::Slice{});
  out.tags();
}

void write_head(Call& call, ErrorCode error) {
  call.throttle();
  if (call.version >= 7) {
    call.error(error);
    call.out.number(int32_t{0});  // no session
  }
}

}  // namespace

io::Task<Status> handle_fetch(Call& call) {
  auto request = decode(call);
  if (!request) co_return request.error();
  if (request->session_id != 0) {
    write_head(call, ErrorCode::fetch_session_id_not_found);
    call.out.count(0);
    call.out.tags();
    co_return Status{};
  }
  std::vector<broker::FetchPart> parts = resolve(call, *request);
  bool refused = false;
  for (const AskedTopic& topic : request->topics) {
    for (const Asked& asked : topic.partitions) refused |= asked.error != ErrorCode::none;
  }
  broker::FetchBounds bounds{
      .bytes_min = refused ? 0 : static_cast<size_t>(std::max(request->bytes_min, 0)),
      .bytes_max = static_cast<size_t>(std::max(request->bytes_max, 1)),
      .deadline = io::after(Millis(request->wait_ms))};
  auto fetched = co_await call.cluster().fetch(std::move(parts), bounds);
  write_head(call, ErrorCode::none);
  call.out.count(request->topics.size());
  for (const AskedTopic& topic : request->topics) {
    if (call.version >= ids_from)
      call.out.uuid(topic.id);
    else
      call.out.text(topic.name);
    call.out.count(topic.partitions.size());
    for (const Asked& asked : topic.partitions)
      write_partition(call, asked, asked.part ? &fetched[*asked.part] : nullptr);
    call.out.tags();
  }
  call.out.tags();
  co_return Status{};
}

}  // namespace pinpipe::kafka
