// broker::Topics in memory: what doors, the sink and jobs are tested against. Thread-safe. Every
// policy is open; every produce is committed at once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/topics.h"
#include "io/wake.h"

namespace pinpipe::kit {

class MemoryTopics final : public broker::Topics {
 public:
  explicit MemoryTopics(Clock& clock = system_clock()) : clock_(clock) {}

  void set_auto_create(bool creates) { auto_create_ = creates; }
  // The next `count` calls of this kind fail so.
  void fail_commits(size_t count, Error error);
  void fail_produces(size_t count, Error error);
  // The records before this offset are gone, as retention would do it.
  void set_start(std::string_view topic, broker::PartitionId partition, broker::Offset start);
  void add_partition(std::string_view topic);
  // Sees what each fetch answers with. Set before anybody fetches.
  std::function<void(const broker::Fetched&)> on_fetched;

  io::Task<Result<broker::TopicFacts>> create(broker::TopicSpec spec) override;
  io::Task<Result<broker::TopicFacts>> find_or_create(std::string name) override;
  Result<broker::TopicFacts> find(std::string_view name) override;
  std::vector<broker::TopicFacts> list() override;
  io::Task<Status> remove(std::string name) override;
  io::Task<Result<std::vector<broker::Placed>>> produce(std::string_view topic,
                                                        std::span<const broker::RecordIn> records,
                                                        broker::Acks acks) override;
  io::Task<Result<broker::Fetched>> fetch(std::string_view topic, broker::PartitionId partition,
                                          broker::Offset from, size_t bytes_max,
                                          io::Instant deadline) override;
  io::Task<Result<broker::OffsetRange>> range(std::string_view topic,
                                              broker::PartitionId partition) override;
  io::Task<Result<std::optional<broker::Offset>>> offset_at(std::string_view topic,
                                                            broker::PartitionId partition,
                                                            int64_t timestamp_ms) override;
  io::Task<Result<uint64_t>> wait_for_topic_change(uint64_t seen, io::Instant deadline) override;
  io::Task<Status> commit(std::string_view group,
                          std::map<broker::TopicPartition, broker::Position> positions) override;
  io::Task<Result<std::map<broker::TopicPartition, broker::Position>>> committed(
      std::string_view group, std::vector<broker::TopicPartition> which) override;

 private:
  struct Record {
    int64_t timestamp_ms = 0;
    std::optional<std::string> key, value;
    std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  };
  struct Partition {
    broker::Offset start = 0;
    std::vector<Record> records;
  };
  struct Topic {
    broker::TopicFacts facts;
    std::vector<Partition> partitions;
    size_t next = 0;
    std::shared_ptr<io::Signal> grown = std::make_shared<io::Signal>();
  };
  struct Failures {
    size_t count = 0;
    Error error{Code::internal, ""};
  };

  Result<Topic*> locked_find(std::string_view name);
  static std::optional<Error> take(Failures& failures);
  broker::PartitionId place(Topic& topic, const broker::RecordIn& record);
  static void copy_out(const Partition& partition, broker::Offset from, size_t bytes_max,
                       broker::Fetched& into);

  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Topic, std::less<>> topics_;
  std::map<std::string, std::map<broker::TopicPartition, broker::Position>, std::less<>> positions_;
  io::Signal changed_;
  Failures commit_failures_, produce_failures_;
  bool auto_create_ = true;
};

}  // namespace pinpipe::kit
