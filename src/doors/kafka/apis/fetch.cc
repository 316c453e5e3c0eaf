// Fetch (1), versions 4 to 17, with sessions from version 7 on.
#include <algorithm>
#include <vector>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

constexpr int16_t ids_from = 13;
constexpr int16_t zstd_from = 10;
constexpr int zstd_codec = 4;
constexpr int32_t wait_max_ms = 60'000;

struct Request {
  int32_t wait_ms = 0;
  int32_t bytes_min = 0;
  int32_t bytes_max = 0;
  FetchSessions::Request session;
};

void decode_topic(Call& call, Request& request) {
  Decoder& in = call.in;
  FollowedPartition followed;
  if (call.version >= ids_from)
    followed.topic_id = in.uuid();
  else
    followed.topic = in.text();
  in.each([&] {
    followed.partition = in.number<int32_t>();
    if (call.version >= 9) followed.leader_epoch = in.number<int32_t>();
    followed.offset = in.number<int64_t>();
    if (call.version >= 12) in.number<int32_t>();  // last fetched epoch: of followers
    if (call.version >= 5) in.number<int64_t>();   // log start offset: of followers
    followed.bytes_max = in.number<int32_t>();
    in.tags();
    request.session.partitions.push_back(followed);
  });
  in.tags();
}

void decode_forgotten(Call& call, Request& request) {
  Decoder& in = call.in;
  FollowedKey key;
  if (call.version >= ids_from)
    key.topic_id = in.uuid();
  else
    key.topic = in.text();
  for (int32_t partition : in.numbers32()) {
    key.partition = partition;
    request.session.forgotten.push_back(key);
  }
  in.tags();
}

Result<Request> decode(Call& call) {
  Decoder& in = call.in;
  Request request;
  if (call.version < 15) in.number<int32_t>();  // replica id
  request.wait_ms = std::clamp(in.number<int32_t>(), 0, wait_max_ms);
  request.bytes_min = in.number<int32_t>();
  request.bytes_max = in.number<int32_t>();
  in.number<int8_t>();  // isolation: without transactions both read the same
  request.session.by_id = call.version >= ids_from;
  if (call.version >= 7) {
    request.session.id = in.number<int32_t>();
    request.session.epoch = in.number<int32_t>();
  }
  in.each([&] { decode_topic(call, request); });
  if (call.version >= 7) in.each([&] { decode_forgotten(call, request); });
  if (call.version >= 11) in.text();  // rack
  in.tags();
  if (in.failed()) return malformed("Fetch");
  return request;
}

// Which partitions are read for this request, and how the answer speaks of the session.
struct Turn {
  ErrorCode error = ErrorCode::none;
  FetchSession* session = nullptr;
  bool incremental = false;
  std::vector<FollowedPartition*> partitions;
};

Turn take_turn(Call& call, FetchSessions::Request& request) {
  constexpr int32_t no_session = -1;
  constexpr int32_t new_session = 0;
  FetchSessions& sessions = call.session.fetches;
  Turn turn;
  if (request.epoch == no_session || request.epoch == new_session) {
    if (request.id != 0) sessions.close(request.id);
    if (request.epoch == new_session) turn.session = sessions.open(request);
  } else {
    auto session = sessions.go_on(request);
    if (!session) {
      turn.error = session.error();
      return turn;
    }
    turn.session = *session;
    turn.incremental = true;
  }
  if (turn.session != nullptr) {
    for (FollowedPartition& followed : turn.session->partitions())
      turn.partitions.push_back(&followed);
  } else {
    for (FollowedPartition& followed : request.partitions) turn.partitions.push_back(&followed);
  }
  return turn;
}

// A partition of this request on its way.
struct Serving {
  FollowedPartition* followed = nullptr;
  std::string_view topic = {};  // its name
  ErrorCode error = ErrorCode::none;
  std::optional<size_t> part = {};  // its place in what the broker is asked
  bool told = true;
};

bool holds_zstd(std::string_view bytes) {
  log::BatchCursor batches(bytes);
  std::string_view batch;
  for (log::BatchHeader header; batches.next(header, batch);) {
    if (header.codec() == zstd_codec) return true;
  }
  return false;
}

// Finds the topics and says what the broker is to be asked. `found` keeps their names alive.
std::vector<Serving> resolve(Call& call, const Turn& turn, std::vector<broker::TopicPointer>& found,
                             std::vector<broker::FetchPart>& parts) {
  std::vector<Serving> servings;
  servings.reserve(turn.partitions.size());
  bool by_id = call.version >= ids_from;
  const FollowedPartition* before = nullptr;
  Result<broker::TopicPointer> topic = Error(Code::not_found, "");
  for (FollowedPartition* followed : turn.partitions) {
    bool same = before != nullptr && before->topic == followed->topic &&
                before->topic_id == followed->topic_id;
    if (!same) {
      topic =
          by_id ? call.cluster().find(followed->topic_id) : call.cluster().find(followed->topic);
      if (topic) found.push_back(*topic);
    }
    before = followed;
    Serving& serving = servings.emplace_back(Serving{.followed = followed});
    if (!topic) {
      bool unknown_id = by_id && topic.error().code() == Code::not_found;
      serving.error = unknown_id ? ErrorCode::unknown_topic_id : topic_error(topic.error());
      continue;
    }
    serving.topic = found.back()->facts.name;
    auto index = static_cast<size_t>(followed->partition);
    if (followed->partition < 0 || index >= (*topic)->logs.size()) {
      serving.error = ErrorCode::unknown_topic_or_partition;
      continue;
    }
    serving.error = epoch_error(followed->leader_epoch, (*topic)->logs[index]->leader_epoch());
    if (serving.error != ErrorCode::none) continue;
    serving.part = parts.size();
    parts.push_back({.topic = serving.topic,
                     .partition = followed->partition,
                     .from = followed->offset,
                     .bytes_max = static_cast<size_t>(std::max(followed->bytes_max, 0))});
  }
  return servings;
}

// What came of each, and which of it a session's client does not know yet.
void settle(Call& call, const Turn& turn, std::vector<Serving>& servings,
            std::vector<broker::FetchedPart>& fetched) {
  for (Serving& serving : servings) {
    broker::FetchedPart* part = serving.part ? &fetched[*serving.part] : nullptr;
    if (part != nullptr && part->error) serving.error = fetch_error(*part->error);
    if (part != nullptr && call.version < zstd_from && holds_zstd(part->slice.bytes()))
      serving.error = ErrorCode::unsupported_compression_type;
    if (turn.session == nullptr) continue;
    bool good = part != nullptr && serving.error == ErrorCode::none;
    FollowedPartition& followed = *serving.followed;
    bool has_records = good && part->slice.size_bytes() > 0;
    bool moved = !good || followed.told_high_watermark != part->range.high_watermark ||
                 followed.told_start != part->range.start;
    serving.told = !turn.incremental || has_records || moved;
    // After an error everything is told again.
    followed.told_high_watermark = good ? part->range.high_watermark : -1;
    followed.told_start = good ? part->range.start : -1;
    if (has_records) turn.session->move_back(followed);
  }
}

void write_partition(Call& call, const Serving& serving, broker::FetchedPart* part) {
  Encoder& out = call.out;
  bool good = part != nullptr && serving.error == ErrorCode::none;
  int64_t high_watermark = good ? part->range.high_watermark : -1;
  out.number(serving.followed->partition);
  call.error(serving.error);
  out.number(high_watermark);
  out.number(high_watermark);  // the last stable offset: there are no transactions
  if (call.version >= 5) out.number(good ? part->range.start : int64_t{-1});
  bool is_unknown = serving.error == ErrorCode::unknown_topic_or_partition ||
                    serving.error == ErrorCode::unknown_topic_id;
  if (is_unknown)
    out.count(0);  // aborted transactions: none or nothing, as Kafka has it
  else
    out.null_array();
  if (call.version >= 11) out.number(int32_t{-1});
  out.records(good ? std::move(part->slice) : log::Slice{});
  out.tags();
}

void write_head(Call& call, ErrorCode error, int32_t session_id) {
  call.throttle();
  if (call.version >= 7) {
    call.error(error);
    call.out.number(session_id);
  }
}

// Neighbours of one topic stand together; the order is kept.
void write_topics(Call& call, const std::vector<Serving>& servings,
                  std::vector<broker::FetchedPart>& fetched) {
  std::vector<std::vector<const Serving*>> topics;
  for (const Serving& serving : servings) {
    if (!serving.told) continue;
    bool same = !topics.empty() &&
                topics.back().front()->followed->topic == serving.followed->topic &&
                topics.back().front()->followed->topic_id == serving.followed->topic_id;
    if (!same) topics.emplace_back();
    topics.back().push_back(&serving);
  }
  call.out.count(topics.size());
  for (const auto& topic : topics) {
    if (call.version >= ids_from)
      call.out.uuid(topic.front()->followed->topic_id);
    else
      call.out.text(topic.front()->followed->topic);
    call.out.count(topic.size());
    for (const Serving* serving : topic)
      write_partition(call, *serving, serving->part ? &fetched[*serving->part] : nullptr);
    call.out.tags();
  }
}

}  // namespace

io::Task<Status> handle_fetch(Call& call) {
  auto request = decode(call);
  if (!request) co_return request.error();
  Turn turn = take_turn(call, request->session);
  if (turn.error != ErrorCode::none) {
    write_head(call, turn.error, 0);
    call.out.count(0);
    call.out.tags();
    co_return Status{};
  }
  std::vector<broker::TopicPointer> topics;
  std::vector<broker::FetchPart> parts;
  std::vector<Serving> servings = resolve(call, turn, topics, parts);
  bool refused = std::ranges::any_of(
      servings, [](const Serving& serving) { return serving.error != ErrorCode::none; });
  broker::FetchBounds bounds{
      .bytes_min = refused ? 0 : static_cast<size_t>(std::max(request->bytes_min, 0)),
      .bytes_max = static_cast<size_t>(std::max(request->bytes_max, 1)),
      .deadline = io::after(Millis(request->wait_ms)),
      .may_send_files = call.version >= zstd_from};  // before it the codecs are looked at
  auto fetched = co_await call.cluster().fetch(std::move(parts), bounds);
  settle(call, turn, servings, fetched);
  write_head(call, ErrorCode::none, turn.session != nullptr ? turn.session->id() : 0);
  write_topics(call, servings, fetched);
  call.out.tags();
  co_return Status{};
}

}  // namespace pinpipe::kafka
