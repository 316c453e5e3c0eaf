#include "app/stored_posts.h"

#include <charconv>

#include "codec/json.h"

namespace pinpipe::app {
namespace {

constexpr size_t fetch_bytes = size_t{4} << 20;
constexpr std::string_view mark = "pinpipe-post";

// The number behind "<run>/", when the record has such a mark.
std::optional<uint64_t> number_of(const broker::RecordOut& record, std::string_view run) {
  for (const broker::RecordHeader& header : record.headers) {
    std::string_view value = header.value.value_or("");
    if (header.key != mark || !value.starts_with(run)) continue;
    value.remove_prefix(run.size());
    if (!value.starts_with('/')) continue;
    uint64_t number = 0;
    const char* end = value.data() + value.size();
    auto parsed = std::from_chars(value.data() + 1, end, number);
    if (parsed.ec == std::errc{} && parsed.ptr == end) return number;
  }
  return std::nullopt;
}

std::optional<uint64_t> index_of(const broker::RecordOut& record) {
  auto row = codec::parse_json(record.value.value_or(""));
  if (!row) return std::nullopt;
  for (std::string_view name : {"index", "ind"}) {
    if (auto index = (*row)[name].as_uint()) return index;
  }
  return std::nullopt;
}

}  // namespace

void StoredPosts::note(uint64_t number) {
  if (number >= stored_.size() || stored_[number]) return;
  stored_[number] = true;
  ++count_;
}

io::Task<Result<StoredPosts>> StoredPosts::find(broker::Topics& topics, source::Target target,
                                                const source::Destinations& destinations,
                                                std::string run, uint64_t rounds) {
  StoredPosts posts(rounds * destinations.size());
  for (size_t i = 0; i < destinations.size(); ++i) {
    const std::string& name = destinations[i].name;
    auto topic = topics.find(name);
    if (!topic) continue;  // nothing was posted to it yet
    for (broker::PartitionId partition = 0; partition < topic->partitions; ++partition) {
      auto range = co_await topics.range(name, partition);
      if (!range) co_return range.error();
      for (broker::Offset next = range->start; next < range->high_watermark;) {
        auto fetched =
            co_await topics.fetch(name, partition, next, fetch_bytes, io::after(Millis(0)));
        if (!fetched) co_return fetched.error();
        for (const broker::RecordOut& record : fetched->records) {
          if (target == source::Target::batch) {
            if (auto number = number_of(record, run)) posts.note(*number);
          } else if (auto index = index_of(record)) {
            posts.note(*index * destinations.size() + i + 1);
          }
        }
        if (fetched->next <= next) break;
        next = fetched->next;
      }
    }
  }
  co_return posts;
}

}  // namespace pinpipe::app
