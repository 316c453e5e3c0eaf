// Produce (0), versions 3 to 12. Only whole batches v2; one per partition.
#include <vector>

#include "doors/kafka/call.h"

namespace pinpipe::kafka {
namespace {

constexpr int16_t acks_all = -1;
constexpr int16_t zstd_from = 7;

struct Partition {
  int32_t index = 0;
  ErrorCode error = ErrorCode::none;
  std::string error_text;
  std::string_view batch = {};  // in the request's frame
  std::vector<int32_t> bad_records = {};
  std::optional<io::OneShot<log::PartitionLog::Answer>> answer;
  log::Appended appended{.base = -1, .append_time_ms = -1, .log_start = -1, .duplicate = false};
};

// Every record that has no key, when one is refused for that: the client keeps the others.
std::vector<int32_t> records_without_key(std::string_view batch) {
  std::vector<int32_t> found;
  std::string scratch;
  auto records = log::records_of(batch, log::Limits{}.decompressed_bytes_max, scratch);
  if (!records) return found;
  log::RecordCursor cursor(log::read_header(batch), *records);
  int32_t index = 0;
  for (log::RecordView record; cursor.next(record); ++index) {
    if (!record.key) found.push_back(index);
  }
  return found;
}

struct TopicPart {
  std::string_view name;
  std::vector<Partition> partitions;
};

class BegunProduce final : public Begun {
 public:
  Status begin(Call& call) {
    call.in.maybe_text();  // transactional id: transactions are not offered
    acks_ = call.in.number<int16_t>();
    call.in.number<int32_t>();  // timeout: nothing is replicated
    call.wants_reply = acks_ != 0;
    call.in.each([&] {
      TopicPart& topic = topics_.emplace_back();
      topic.name = call.in.text();
      call.in.each([&] {
        int32_t index = call.in.number<int32_t>();
        auto records = call.in.maybe_bytes();
        call.in.tags();
        if (!call.in.failed()) topic.partitions.push_back(append(call, topic.name, index, records));
      });
      call.in.tags();
    });
    call.in.tags();
    if (call.in.failed()) return malformed("Produce");
    return {};
  }

  io::Task<Status> finish(Call& call) override {
    for (TopicPart& topic : topics_) {
      for (Partition& partition : topic.partitions) {
        if (!partition.answer) continue;
        // Without acknowledgement nobody waits; an error is noticed only when it is there already.
        if (!call.wants_reply) continue;
        auto answer = co_await partition.answer->wait();
        if (!answer) co_return answer.error();
        if (*answer)
          partition.appended = **answer;
        else
          refuse(call, topic.name, partition, answer->error());
      }
    }
    if (!call.wants_reply) {
      // The only way to tell such a client is to let it look for the topic again.
      if (any_error()) co_return Error(Code::invalid, "a produce without acknowledgement failed");
      co_return Status{};
    }
    write(call);
    co_return Status{};
  }

 private:
  Partition append(Call& call, std::string_view topic, int32_t index,
                   std::optional<std::string_view> records) {
    Partition partition;
    partition.index = index;
    if (acks_ < acks_all || acks_ > 1) {
      partition.error = ErrorCode::invalid_required_acks;
      return partition;
    }
    std::string_view bytes = records.value_or(std::string_view());
    partition.batch = bytes;
    // The frame is ours alone: offset and epoch are written into it, then it goes to the disk.
    char* at = call.frame.get();
    if (!bytes.empty()) at += bytes.data() - call.frame.get();
    auto queued = call.cluster().produce({.topic = topic,
                                          .partition = index,
                                          .owner = call.frame,
                                          .bytes = std::span(at, bytes.size()),
                                          .zstd_allowed = call.version >= zstd_from});
    if (queued) {
      partition.answer = std::move(*queued);
    } else {
      partition.error = topic_error(queued.error());
      partition.error_text = queued.error().text();
    }
    return partition;
  }

  static void refuse(Call& call, std::string_view topic, Partition& partition,
                     const log::Refusal& refusal) {
    partition.error = batch_error(refusal.fault);
    partition.error_text = refusal.text;
    if (refusal.record >= 0) partition.bad_records = records_without_key(partition.batch);
    // Where the log begins tells a producer whether it was forgotten because its records are gone.
    bool is_of_the_log = refusal.fault == log::Fault::out_of_order_sequence ||
                         refusal.fault == log::Fault::stale_producer_epoch || refusal.record >= 0;
    if (!is_of_the_log) return;
    auto log = call.cluster().partition(topic, partition.index, auth::Action::write);
    if (log) partition.appended.log_start = (*log)->range().start;
  }

  bool any_error() const {
    for (const TopicPart& topic : topics_) {
      for (const Partition& partition : topic.partitions) {
        if (partition.error != ErrorCode::none) return true;
      }
    }
    return false;
  }

  void write(Call& call) const {
    Encoder& out = call.out;
    out.count(topics_.size());
    for (const TopicPart& topic : topics_) {
      out.text(topic.name);
      out.count(topic.partitions.size());
      for (const Partition& partition : topic.partitions) write_partition(call, partition);
      out.tags();
    }
    call.throttle();
    out.tags();
  }

  static void write_partition(Call& call, const Partition& partition) {
    Encoder& out = call.out;
    out.number(partition.index);
    call.error(partition.error);
    out.number(partition.appended.base);
    out.number(partition.appended.append_time_ms);
    if (call.version >= 5) out.number(partition.appended.log_start);
    if (call.version >= 8) {
      out.count(partition.bad_records.size());
      for (int32_t record : partition.bad_records) {
        out.number(record);
        out.maybe_text(partition.error_text);
        out.tags();
      }
      if (partition.error_text.empty())
        out.maybe_text(std::nullopt);
      else
        out.maybe_text(partition.error_text);
    }
    out.tags();
  }

  int16_t acks_ = acks_all;
  std::vector<TopicPart> topics_;
};

}  // namespace

Result<std::unique_ptr<Begun>> begin_produce(Call& call) {
  auto produce = std::make_unique<BegunProduce>();
  if (Status begun = produce->begin(call); !begun) return begun.error();
  return std::unique_ptr<Begun>(std::move(produce));
}

io::Task<Status> handle_produce(Call& call) {
  auto begun = begin_produce(call);
  if (!begun) co_return begun.error();
  co_return co_await (*begun)->finish(call);
}

}  // namespace pinpipe::kafka
