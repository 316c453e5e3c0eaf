#include "jobs/stream_records.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/ascii.h"
#include "codec/json_scan.h"

namespace pinpipe::jobs {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr size_t piece_bytes_target = sql::JsonScan::part_bytes_target;

// The piece under construction. Pieces are cut so that all of the engine's threads find work.
class LineWriter {
 public:
  LineWriter(StreamLines& out, const std::string& stream, broker::PartitionId shard)
      : out_(out), stream_(stream), shard_(shard) {}
  ~LineWriter() { close(); }

  // The record's line; an empty one keeps the count of lines and is no row.
  std::string& line(broker::Offset offset) {
    bool follows = offset == first_ + lines_;
    if (!bytes_ || !follows || bytes_->size() >= piece_bytes_target) {
      close();
      bytes_ = std::make_shared<std::string>();
      first_ = offset;
      lines_ = 0;
    }
    ++lines_;
    return *bytes_;
  }

 private:
  void close() {
    if (!bytes_) return;
    out_.pieces.push_back({.source = fmt::format("{}/{}/{}", stream_, shard_, first_),
                           .bytes = *bytes_,
                           .first_line = 1,
                           .keep = bytes_});
    bytes_.reset();
  }

  StreamLines& out_;
  const std::string& stream_;
  const broker::PartitionId shard_;
  std::shared_ptr<std::string> bytes_;
  broker::Offset first_ = 0;
  int64_t lines_ = 0;
};

// Appends the record as one line without its end; otherwise says why it is none.
std::string append_line(const broker::RecordOut& record, codec::JsonScanner& scanner,
                        std::string& out) {
  if (!record.value) return "a record without a value (tombstone)";
  std::string_view text = trimmed(*record.value, blanks_and_ends);
  if (text.starts_with(byte_order_mark)) text = trimmed(text.substr(byte_order_mark.size()));
  if (text.empty()) return "an empty record";
  if (text.find('\n') == std::string_view::npos) {
    out += text;
    return {};
  }
  auto value = scanner.scan(text);
  if (!value) return "the value is not JSON: " + value.error().text();
  value->append_compact(out);
  return {};
}

// Empty: the record is to be read.
std::string refusal_of(const RecordChoice& choice, size_t record) {
  if (choice.refused == nullptr) return {};
  auto at = choice.refused->find(record);
  return at == choice.refused->end() ? std::string() : at->second;
}

}  // namespace

void StreamBatch::add(broker::PartitionId shard, broker::Fetched fetched) {
  for (const std::string& held : fetched.bytes) bytes += held.size();
  records += fetched.records.size();
  ends[shard] = fetched.next;
  if (!fetched.records.empty()) parts.push_back({shard, std::move(fetched)});
}

std::optional<size_t> RecordFilter::owner(const std::optional<std::string_view>& key) const {
  if (datasets.empty()) return own;
  if (!key) return std::nullopt;
  size_t mark = key->find_last_of("._-");
  std::string_view name = mark == std::string_view::npos ? *key : key->substr(mark + 1);
  auto found = std::ranges::find(datasets, name);
  if (found == datasets.end()) return std::nullopt;
  return static_cast<size_t>(found - datasets.begin());
}

StreamLines lines_of(const StreamBatch& batch, const std::string& stream,
                     const RecordFilter& filter, const RecordChoice& choice) {
  StreamLines lines;
  codec::JsonScanner scanner;
  size_t number = 0;
  for (const StreamBatch::Part& part : batch.parts) {
    LineWriter writer(lines, stream, part.shard);
    for (const broker::RecordOut& record : part.fetched.records) {
      auto owner = filter.owner(record.key);
      // Somebody has to account for what names nobody: the first of those that share the stream.
      if (owner.value_or(0) != filter.own) {
        writer.line(record.offset) += '\n';
        continue;
      }
      size_t own = number++;
      if (!choice.is_chosen(own)) {
        writer.line(record.offset) += '\n';
        continue;
      }
      ++lines.records;
      if (lines.oldest_ms == 0 || record.timestamp_ms < lines.oldest_ms)
        lines.oldest_ms = record.timestamp_ms;
      std::string& line = writer.line(record.offset);
      std::string reason = refusal_of(choice, own);
      if (reason.empty() && !owner) reason = "the partition key names no data set";
      if (reason.empty()) reason = append_line(record, scanner, line);
      line += '\n';
      if (reason.empty()) {
        ++lines.lines;
      } else {
        lines.refused.push_back({.shard = part.shard,
                                 .offset = record.offset,
                                 .arrived_ms = record.timestamp_ms,
                                 .reason = std::move(reason),
                                 .bytes = std::string(record.value.value_or(""))});
      }
    }
  }
  return lines;
}

RefusedRecord record_at(const StreamBatch& batch, std::string_view source, uint64_t line) {
  size_t second = source.rfind('/');
  size_t first = source.rfind('/', second - 1);
  RefusedRecord found;
  std::from_chars(source.data() + first + 1, source.data() + second, found.shard);
  std::from_chars(source.data() + second + 1, source.data() + source.size(), found.offset);
  found.offset += static_cast<broker::Offset>(line) - 1;
  for (const StreamBatch::Part& part : batch.parts) {
    if (part.shard != found.shard) continue;
    auto at = std::ranges::lower_bound(part.fetched.records, found.offset, {},
                                       &broker::RecordOut::offset);
    if (at != part.fetched.records.end() && at->offset == found.offset)
      found.arrived_ms = at->timestamp_ms;
  }
  return found;
}

}  // namespace pinpipe::jobs
