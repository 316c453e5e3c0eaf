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
  std::vector<size_t> places;  // of each, among those that were given
  std::vector<std::string> hash_keys;
};

// Those that their shards take now; the others get their error.
template <class Admit>
Outgoing outgoing(const Stream& stream, std::span<const StreamRecord> records, Admit admit,
                  std::vector<StreamPlaced>& answers) {
  Outgoing out;
  out.records.reserve(records.size());
  out.places.reserve(records.size());
  out.hash_keys.reserve(records.size());  // views point into its strings: it must not grow
  for (size_t i = 0; i < records.size(); ++i) {
    const StreamRecord& record = records[i];
    HashKey key = record.explicit_hash ? *record.explicit_hash : hash_of_key(record.partition_key);
    const int32_t shard = stream.open_shard_of(key).number;
    answers[i].shard = shard;
    if (!admit(shard, record.partition_key.size() + record.data.size())) {
      answers[i].error.emplace(Code::busy, "too many records for " + shard_id(shard));
      continue;
    }
    RecordIn& in = out.records.emplace_back();
    out.places.push_back(i);
    in.key = record.partition_key;
    in.value = record.data;
    in.partition = shard;
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
  std::vector<StreamPlaced> answers(records.size());
  auto admit = [&](int32_t shard, size_t bytes) {
    return !streams_.options_.aws_limits ||
           streams_.limits_.admit_record(now->id, shard, bytes, streams_.clock_.steady_ns());
  };
  Outgoing out = outgoing(*now, records, admit, answers);
  if (out.records.empty()) co_return answers;
  auto placed = co_await topics_->produce(now->name, out.records, Acks::committed);
  if (!placed) co_return placed.error();
  for (size_t i = 0; i < placed->size(); ++i) {
    const Placed& place = (*placed)[i];
    StreamPlaced& answer = answers[out.places[i]];
    if (place.error)
      answer.error = place.error;
    else
      answer.sequence =
          now->find_shard(place.partition)->sequence_of(place.offset, place.timestamp_ms);
  }
  co_return answers;
}

}  // namespace pinpipe::broker
