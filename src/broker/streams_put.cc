#include "broker/streams.h"
#include "broker/streams_gate.h"

namespace pinpipe::broker {
namespace {

constexpr Millis gate_wait_max{10'000};

// Inside the gate as long as it lives.
class Passage {
 public:
  explicit Passage(std::shared_ptr<StreamGate> gate) : gate_(std::move(gate)) {}
  ~Passage() { gate_->leave(); }
  Passage(const Passage&) = delete;

 private:
  std::shared_ptr<StreamGate> gate_;
};

// Records for the log, and what their views point into.
struct Outgoing {
  std::vector<RecordIn> records;
  std::vector<std::string> hash_keys;
};

Outgoing outgoing(const Stream& stream, std::span<const StreamRecord> records) {
  Outgoing out;
  out.records.reserve(records.size());
  out.hash_keys.reserve(records.size());  // views point into its strings: it must not grow
  for (const StreamRecord& record : records) {
    HashKey key = record.explicit_hash ? *record.explicit_hash : hash_of_key(record.partition_key);
    RecordIn& in = out.records.emplace_back();
    in.key = record.partition_key;
    in.value = record.data;
    in.partition = stream.open_shard_of(key).number;
    if (record.explicit_hash)
      in.headers.push_back({hash_key_header, out.hash_keys.emplace_back(to_decimal(key))});
  }
  return out;
}

}  // namespace

io::Task<Result<std::vector<StreamPlaced>>> StreamAccess::put(
    StreamPointer stream, std::span<const StreamRecord> records) {
  const io::Instant deadline = io::after(gate_wait_max);
  std::shared_ptr<StreamGate> gate = stream->gate;
  while (true) {
    uint64_t seen = gate->moved().version();
    if (gate->enter()) break;
    Status moved = co_await gate->moved().wait_beyond(seen, deadline);
    if (!moved) co_return moved.error();
  }
  Passage inside(gate);
  // Its shards may have changed before the gate let us in.
  StreamPointer now = streams_.find(stream->name);
  if (!now || now->id != stream->id)
    co_return Error(Code::not_found, "stream " + stream->name + " was deleted");
  Outgoing out = outgoing(*now, records);
  auto placed = co_await topics_->produce(now->name, out.records, Acks::committed);
  if (!placed) co_return placed.error();
  std::vector<StreamPlaced> answers(records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    const Placed& place = (*placed)[i];
    answers[i].shard = place.partition;
    if (place.error)
      answers[i].error = place.error;
    else
      answers[i].sequence =
          now->find_shard(place.partition)->sequence_of(place.offset, place.timestamp_ms);
  }
  co_return answers;
}

}  // namespace pinpipe::broker
