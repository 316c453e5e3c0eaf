#include "jobs/trace_find.h"

#include <algorithm>
#include <charconv>
#include <ranges>
#include <tuple>

#include "base/bytes.h"
#include "codec/json.h"
#include "columns/json_decoder.h"
#include "io/files.h"

namespace pinpipe::jobs {
namespace {

using codec::Json;

bool is_plain(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

bool equals(const Json& value, const std::string& wanted) {
  if (auto text = value.as_string()) return *text == wanted;
  if (auto number = value.as_int()) return std::to_string(*number) == wanted;
  return !value.is_null() && codec::to_json(value) == wanted;
}

// "topics/t/partition=0/t+0+0000000007.json": the partition and the offset of its first record.
struct ObjectName {
  broker::PartitionId partition = 0;
  broker::Offset first = 0;
};

std::optional<ObjectName> parse_object_name(std::string_view key) {
  size_t offset_at = key.rfind('+');
  if (offset_at == std::string_view::npos || offset_at == 0) return std::nullopt;
  size_t partition_at = key.rfind('+', offset_at - 1);
  if (partition_at == std::string_view::npos) return std::nullopt;
  ObjectName name;
  const char* end = key.data() + key.size();
  auto partition =
      std::from_chars(key.data() + partition_at + 1, key.data() + offset_at, name.partition);
  auto offset = std::from_chars(key.data() + offset_at + 1, end, name.first);
  bool is_whole = partition.ec == std::errc{} && partition.ptr == key.data() + offset_at &&
                  offset.ec == std::errc{} && offset.ptr != key.data() + offset_at + 1;
  return is_whole ? std::optional(name) : std::nullopt;
}

std::string post_of(const broker::RecordOut& record) {
  for (const broker::RecordHeader& header : record.headers) {
    if (header.key == "pinpipe-post") return std::string(header.value.value_or(""));
  }
  return {};
}

}  // namespace

PostFinder::PostFinder(std::vector<std::string> names, std::string value)
    : names_(std::move(names)), value_(std::move(value)), is_plain_(is_plain(value_)) {}

size_t PostFinder::rows_in(std::string_view record) const {
  // Most records are none: what does not even hold the letters is not read. A string may hold them
  // in base64.
  size_t first = record.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return 0;
  bool may_be_encoded = record[first] == '"';
  if (is_plain_ && !may_be_encoded && record.find(value_) == std::string_view::npos) return 0;
  auto value = codec::parse_json(record);
  return value ? rows_of(*value, columns::JsonDecoder::encodings_max) : 0;
}

size_t PostFinder::rows_of(const Json& value, int encodings) const {
  if (auto text = value.as_string(); text && encodings > 0) {
    auto inner = codec::parse_json(*text);
    if (inner) return rows_of(*inner, encodings - 1);
    auto decoded = from_base64(*text);
    if (!decoded) return 0;
    inner = codec::parse_json(*decoded);
    return inner ? rows_of(*inner, encodings - 1) : 0;
  }
  size_t rows = 0;
  for (const Json& element : value.elements()) rows += rows_of(element, encodings);
  if (!value.is_object()) return rows;
  bool has = std::ranges::any_of(names_, [&](const std::string& name) {
    const Json* member = value.find(name);
    return member != nullptr && equals(*member, value_);
  });
  return has ? 1 : 0;
}

io::Task<Result<uint64_t>> find_in_log(LogScan scan, const PostFinder& finder,
                                       std::function<void(TracedCopy)> found) {
  uint64_t records = 0;
  for (broker::PartitionId partition = 0; partition < scan.partitions; ++partition) {
    auto range = co_await scan.topics->range(scan.name, partition);
    if (!range) {
      if (range.error().code() == Code::not_found) continue;  // a shard that has expired
      co_return range.error();
    }
    const broker::Shard* shard = scan.stream ? scan.stream->find_shard(partition) : nullptr;
    broker::Offset end = range->high_watermark;
    if (shard != nullptr && shard->closed) end = std::min(end, shard->closed->end);
    for (broker::Offset next = range->start; next < end;) {
      auto fetched = co_await scan.topics->fetch(scan.name, partition, next, LogScan::fetch_bytes,
                                                 io::after(Millis(0)));
      if (!fetched) co_return fetched.error();
      auto of_post = co_await scan.work->run([&] {
        std::vector<const broker::RecordOut*> some;
        for (const broker::RecordOut& record : fetched->records) {
          if (record.offset >= end) break;
          ++records;
          if (scan.filter.owner(record.key).value_or(0) != scan.filter.own) continue;
          if (record.value && finder.rows_in(*record.value) > 0) some.push_back(&record);
        }
        return some;
      });
      for (const broker::RecordOut* found_record : of_post) {
        const broker::RecordOut& record = *found_record;
        TracedCopy copy{.by_stream = scan.stream != nullptr,
                        .log = PlaceInLog{.name = scan.name,
                                          .partition = partition,
                                          .offset = record.offset,
                                          .arrived_ms = record.timestamp_ms,
                                          .sequence = {},
                                          .post = post_of(record)},
                        .text = std::string(*record.value)};
        if (shard != nullptr)
          copy.log->sequence = shard->sequence_of(record.offset, record.timestamp_ms);
        found(std::move(copy));
      }
      if (fetched->next <= next) break;  // cut off meanwhile
      next = fetched->next;
    }
  }
  co_return records;
}

io::Task<Result<uint64_t>> find_in_objects(objects::Store& store, io::Pool& work, ObjectPlace place,
                                           const PostFinder& finder,
                                           std::function<void(TracedCopy)> found) {
  auto listed = co_await list_objects(store, place);
  if (!listed && listed.error().code() == Code::not_found) co_return uint64_t{0};  // no bucket
  if (!listed) co_return listed.error();
  uint64_t read = 0;
  for (const objects::ObjectFacts& object : *listed) {
    auto held = co_await store.materialize(place.bucket, object.key);
    if (!held && held.error().code() == Code::not_found) continue;
    if (!held) co_return held.error().with("object " + object.key);
    Status looked = co_await work.run([&]() -> Status {
      auto bytes = io::posix_files().read_all(held->path);
      if (!bytes) return bytes.error().with("object " + object.key);
      std::string_view rest = *bytes;
      for (uint64_t line = 1; !rest.empty(); ++line) {
        size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view text = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (finder.rows_in(text) == 0) continue;
        found({.object = PlaceInObject{place.bucket, object.key, line}, .text = std::string(text)});
      }
      return {};
    });
    if (!looked) co_return looked.error();
    ++read;
  }
  co_return read;
}

std::vector<TracedCopy> pair_copies(
    std::vector<TracedCopy> in_log, std::vector<TracedCopy> in_objects,
    const std::map<broker::PartitionId, broker::Offset>& committed) {
  auto name_of = [](const TracedCopy& copy) { return parse_object_name(copy.object->key); };
  auto order = [&](const TracedCopy& copy) {
    ObjectName name = name_of(copy).value_or(ObjectName{.partition = -1});
    return std::tuple(name.partition, name.first, copy.object->line);
  };
  std::ranges::sort(in_objects, {}, order);
  std::vector<bool> taken(in_objects.size());
  for (TracedCopy& copy : std::views::reverse(in_log)) {
    auto sunk = committed.find(copy.log->partition);
    if (sunk == committed.end() || copy.log->offset >= sunk->second) continue;
    for (size_t i = in_objects.size(); i-- > 0;) {
      auto name = name_of(in_objects[i]);
      if (taken[i] || !name || name->partition != copy.log->partition) continue;
      if (name->first > copy.log->offset) continue;
      taken[i] = true;
      copy.object = in_objects[i].object;
      copy.text = in_objects[i].text;
      break;
    }
  }
  std::vector<TracedCopy> all;
  for (size_t i = 0; i < in_objects.size(); ++i) {
    if (!taken[i]) all.push_back(std::move(in_objects[i]));
  }
  std::ranges::move(in_log, std::back_inserter(all));
  return all;
}

}  // namespace pinpipe::jobs
