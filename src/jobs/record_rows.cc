#include "jobs/record_rows.h"

#include <optional>

#include "codec/json_text.h"
#include "io/scope.h"

namespace pinpipe::jobs {
namespace {

using columns::ColumnTarget;
using columns::Target;

constexpr std::string_view replacement = "\xEF\xBF\xBD";

// `text` when it is UTF-8, otherwise a copy in `held` with U+FFFD for every byte that is none.
std::string_view as_utf8(std::string_view text, std::string& held) {
  if (codec::is_utf8(text)) return text;
  held.clear();
  constexpr size_t letter_bytes_max = 4;
  while (!text.empty()) {
    size_t size = 1;
    while (size < letter_bytes_max && size < text.size() && !codec::is_utf8(text.substr(0, size)))
      ++size;
    bool is_letter = codec::is_utf8(text.substr(0, size));
    held += is_letter ? text.substr(0, size) : replacement;
    text.remove_prefix(is_letter ? size : 1);
  }
  return held;
}

void put_text(const Target& target, size_t column, size_t row,
              const std::optional<std::string_view>& text) {
  const ColumnTarget& to = target.columns[column];
  if (to.values == nullptr) return;
  if (!text) return to.set_null(row);
  std::string held;
  std::string_view letters = as_utf8(*text, held);
  target.put_text(to, row, letters, letters.data() == text->data());
  to.set_valid(row);
}

void put_own_text(const Target& target, size_t column, size_t row, std::string_view text) {
  const ColumnTarget& to = target.columns[column];
  if (to.values == nullptr) return;
  target.put_text(to, row, text, false);
  to.set_valid(row);
}

template <class T>
void put_number(const Target& target, size_t column, size_t row, T value) {
  const ColumnTarget& to = target.columns[column];
  if (to.values == nullptr) return;
  static_cast<T*>(to.values)[row] = value;
  to.set_valid(row);
}

class RecordReader final : public sql::RowReader {
 public:
  explicit RecordReader(const RecordSource& source) : source_(source) {}

  Result<size_t> fill(const Target& target) override {
    while (at_ == fetched_.records.size()) {
      auto more = fetch_more();
      if (!more) return more.error().with(source_.name);
      if (!*more) return size_t{0};
    }
    size_t row = 0;
    // Texts point into what was fetched, so that a chunk never reaches beyond it.
    for (; row < target.rows_max && at_ < fetched_.records.size(); ++at_) {
      const broker::RecordOut& record = fetched_.records[at_];
      if (record.offset >= end_) break;
      write(target, row++, record);
    }
    if (at_ < fetched_.records.size() && fetched_.records[at_].offset >= end_)
      at_ = fetched_.records.size();
    return row > 0 ? Result<size_t>(row) : fill(target);
  }

 private:
  // False when all partitions are read.
  Result<bool> fetch_more() {
    while (next_ >= end_) {
      if (++partition_ >= source_.partitions) return false;
      auto range = io::wait_on(*source_.loop, source_.topics->range(source_.name, partition_));
      if (!range) return range.error();
      next_ = range->start;
      end_ = range->high_watermark;
      if (const broker::Shard* shard = shard_of(partition_); shard && shard->closed)
        end_ = std::min(end_, shard->closed->end);
    }
    auto fetched = io::wait_on(
        *source_.loop, source_.topics->fetch(source_.name, partition_, next_,
                                             RecordSource::fetch_bytes, io::after(Millis(0))));
    if (!fetched) return fetched.error();
    fetched_ = std::move(*fetched);
    at_ = 0;
    // Nothing more although the end is not reached: it was compacted away or cut off meanwhile.
    next_ = fetched_.next > next_ ? fetched_.next : end_;
    return true;
  }

  const broker::Shard* shard_of(int32_t partition) const {
    return source_.stream ? source_.stream->find_shard(partition) : nullptr;
  }

  void write(const Target& target, size_t row, const broker::RecordOut& record) const {
    put_text(target, 0, row, record.key);
    put_text(target, 1, row, record.value);
    put_own_text(target, 2, row, source_.name);
    if (const broker::Shard* shard = shard_of(partition_)) {
      if (target.columns[3].values) put_own_text(target, 3, row, shard->id());
      if (target.columns[4].values)
        put_own_text(target, 4, row, shard->sequence_of(record.offset, record.timestamp_ms));
    } else {
      put_number<int32_t>(target, 3, row, partition_);
      put_number<int64_t>(target, 4, row, record.offset);
    }
    put_number<int64_t>(target, 5, row, record.timestamp_ms * 1000);
  }

  const RecordSource source_;
  int32_t partition_ = -1;
  broker::Offset next_ = 0;
  broker::Offset end_ = 0;
  broker::Fetched fetched_;
  size_t at_ = 0;
};

columns::Schema schema_of(bool is_stream) {
  using columns::Type;
  auto column = [](const char* name, Type type) {
    return columns::Column{.name = name, .type = type, .synonyms = {}};
  };
  if (is_stream) {
    return *columns::Schema::make({column("partitionKey", Type::text), column("data", Type::text),
                                   column("stream", Type::text), column("shardId", Type::text),
                                   column("sequenceNumber", Type::text),
                                   column("approximateArrivalTimestamp", Type::timestamp)});
  }
  return *columns::Schema::make({column("key", Type::text), column("value", Type::text),
                                 column("topic", Type::text), column("partition", Type::int32),
                                 column("offset", Type::int64),
                                 column("timestamp", Type::timestamp)});
}

}  // namespace

sql::RowInput record_rows(RecordSource source) {
  auto schema = std::make_shared<const columns::Schema>(schema_of(source.stream != nullptr));
  return {.schema = std::move(schema),
          .open = [source = std::move(source)] { return std::make_unique<RecordReader>(source); }};
}

}  // namespace pinpipe::jobs
