// topic list|create|delete|tail.
#include <fmt/format.h>

#include "app/operations/list.h"
#include "base/clock.h"

namespace pinpipe::app {

using codec::Json;

namespace {

io::Task<Result<Answer>> list_topics(House& house, Json) {
  Answer answer;
  answer.columns = {"topic", "partitions", "start", "end", "records"};
  for (const broker::TopicFacts& topic : house.topics().list()) {
    int64_t start = 0;
    int64_t end = 0;
    for (broker::PartitionId p = 0; p < topic.partitions; ++p) {
      auto range = co_await house.topics().range(topic.name, p);
      if (!range) co_return range.error();
      start += range->start;
      end += range->high_watermark;
    }
    answer.add_row({topic.name, topic.partitions, start, end, end - start});
  }
  co_return answer;
}

io::Task<Result<Answer>> create_topic(House& house, Json arguments) {
  auto made = co_await house.topics().create(
      {.name = text_argument(arguments, "topic"),
       .partitions = static_cast<int32_t>(integer_argument(arguments, "partitions")),
       .configs = {}});
  if (!made) co_return made.error();
  Answer answer;
  answer.columns = {"topic", "partitions", "id"};
  answer.add_row({made->name, made->partitions, made->id.text()});
  co_return answer;
}

io::Task<Result<Answer>> delete_topic(House& house, Json arguments) {
  std::string name = text_argument(arguments, "topic");
  if (Status gone = co_await house.topics().remove(name); !gone) co_return gone.error();
  Answer answer;
  answer.columns = {"topic", "status"};
  answer.add_row({name, "deleted"});
  co_return answer;
}

// The last `count` records of every partition, oldest first.
io::Task<Result<Answer>> tail_topic(House& house, Json arguments) {
  std::string name = text_argument(arguments, "topic");
  int64_t count = std::clamp<int64_t>(integer_argument(arguments, "count"), 1, 1000);
  auto topic = house.topics().find(name);
  if (!topic) co_return topic.error();
  Answer answer;
  answer.columns = {"partition", "offset", "time", "key", "value"};
  for (broker::PartitionId p = 0; p < topic->partitions; ++p) {
    auto range = co_await house.topics().range(name, p);
    if (!range) co_return range.error();
    broker::Offset from = std::max(range->start, range->high_watermark - count);
    while (from < range->high_watermark) {
      auto fetched = co_await house.topics().fetch(name, p, from, 1 << 20, io::after(Millis(1000)));
      if (!fetched) co_return fetched.error();
      if (fetched->records.empty()) break;
      for (const broker::RecordOut& record : fetched->records) {
        answer.add_row({p, record.offset, to_rfc3339(record.timestamp_ms),
                        record.key ? Json(*record.key) : Json(),
                        record.value ? Json(*record.value) : Json()});
      }
      from = fetched->next;
    }
  }
  co_return answer;
}

}  // namespace

std::vector<Operation> topic_operations() {
  using Kind = Parameter::Kind;
  return {
      {.noun = "topic",
       .verb = "list",
       .summary = "the topics and how many records they hold",
       .example = "pinpipe topic list",
       .parameters = {},
       .run = list_topics},
      {.noun = "topic",
       .verb = "create",
       .summary = "make a topic",
       .example = "pinpipe topic create orders --partitions 3",
       .writes = true,
       .parameters =
           {{.name = "topic", .positional = true, .required = true, .summary = "its name"},
            {.name = "partitions", .kind = Kind::integer, .summary = "how many", .fallback = "1"}},
       .run = create_topic},
      {.noun = "topic",
       .verb = "delete",
       .summary = "remove a topic and all its records",
       .example = "pinpipe topic delete orders",
       .writes = true,
       .parameters =
           {{.name = "topic", .positional = true, .required = true, .summary = "its name"}},
       .run = delete_topic},
      {.noun = "topic",
       .verb = "tail",
       .summary = "the last records of a topic",
       .example = "pinpipe topic tail 0e90e0175553.pin --count 3",
       .parameters =
           {{.name = "topic", .positional = true, .required = true, .summary = "its name"},
            {.name = "count",
             .kind = Kind::integer,
             .summary = "how many of each partition",
             .fallback = "10"}},
       .run = tail_topic},
  };
}

}  // namespace pinpipe::app
