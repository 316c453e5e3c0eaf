// One action of the Kinesis API: its name, its input, and what does it. The groups of actions are
// one file each.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "broker/streams.h"
#include "codec/json.h"
#include "doors/kinesis/failure.h"
#include "doors/kinesis/form.h"
#include "doors/kinesis/members.h"
#include "io/task.h"

namespace pinpipe::kinesis {

// One checked request.
struct Call {
  // Events go on after the call.
  std::shared_ptr<broker::StreamAccess> access;
  broker::StreamAccess& streams;
  const codec::Json& given;
  Form form = Form::json;
  std::string_view action;
  std::string_view account;
  std::string_view region;
  std::string_view principal;
  int32_t shards_max = 0;
  int64_t now_ms = 0;

  const codec::Json& operator[](std::string_view member) const { return given[member]; }
  bool has(std::string_view member) const { return !given[member].is_null(); }
  // "" or the fallback when it is absent.
  std::string_view text(std::string_view member) const;
  int64_t integer(std::string_view member, int64_t fallback) const;
  // The member must be there.
  int64_t time_ms(std::string_view member) const;
};

struct Action {
  std::string_view name;
  std::span<const Member> members;
  io::Task<Outcome> (*run)(const Call& call);
  double per_second = 0;   // what AWS allows an account, where its limits are asked for; 0: any
  bool by_stream = false;  // or each stream of it
};

// A time as requests have it, in ms.
int64_t time_ms_of(double seconds);

std::span<const Action> stream_actions();    // create, delete, describe, list
std::span<const Action> shard_actions();     // list, split, merge
std::span<const Action> put_actions();       // put one record, or many
std::span<const Action> read_actions();      // begin to read, read on
std::span<const Action> setting_actions();   // retention, tags, mode
std::span<const Action> consumer_actions();  // registered consumers, and what is sent to them
const Action* find_action(std::string_view name);
// All groups, for those who list them.
std::vector<const Action*> all_actions();

// The stream that StreamName, StreamARN or both name.
std::expected<broker::StreamPointer, Failure> stream_of(const Call& call);
std::expected<broker::StreamPointer, Failure> stream_named(const Call& call, std::string_view name);
// The stream's name in its ARN.
std::string_view name_in_arn(std::string_view arn);
std::string arn_of(const Call& call, std::string_view stream);
// "<stream's ARN>/consumer/<name>:<second of its creation>"
std::string arn_of(const Call& call, std::string_view stream,
                   const broker::StreamConsumer& consumer);
struct FoundConsumer {
  broker::StreamPointer stream;
  const broker::StreamConsumer* consumer = nullptr;  // lives as long as the stream
};
std::expected<FoundConsumer, Failure> consumer_of_arn(const Call& call, std::string_view arn);
// The number of "shardId-000000000007", or of anything that ends in "-7", or of "7".
std::optional<int32_t> shard_number(std::string_view id);
std::unexpected<Failure> no_shard(const Call& call, std::string_view shard_id,
                                  std::string_view stream);

// The words for an error of the broker that has none of its own.
std::unexpected<Failure> failed(const Call& call, const Error& error, std::string_view stream);
std::unexpected<Failure> shard_limit_exceeded(const Call& call, int64_t more);
inline constexpr int64_t hour_ms = 3'600'000;
inline constexpr int64_t retention_hours_max = 8760;
// How long the stream keeps records; the most there is when they stay for ever, as a Kafka client
// may have set.
int64_t retention_hours(const Call& call, const broker::Stream& stream);
// Shards that a reader may still need: open ones and those closed within the retention.
bool is_listed(const Call& call, const broker::Stream& stream, const broker::Shard& shard);
void write_shard(AnswerWriter& out, const broker::Shard& shard);

// Where reading begins, by the words of GetShardIterator and SubscribeToShard.
struct Begin {
  std::string_view type;
  std::optional<std::string_view> sequence;
  std::optional<int64_t> time_ms;
};
std::expected<broker::StreamStart, Failure> start_of(const Call& call, const broker::Stream& stream,
                                                     const broker::Shard& shard,
                                                     const Begin& begin);
void write_records(AnswerWriter& out, const broker::StreamRead& read);
void write_children(AnswerWriter& out, const broker::StreamRead& read);

}  // namespace pinpipe::kinesis
