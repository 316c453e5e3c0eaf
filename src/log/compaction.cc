#include "log/compaction.h"

#include <algorithm>

#include "base/hash.h"
#include "codec/compression.h"

namespace pinpipe::log {
namespace {

constexpr size_t unpacked_bytes_max = 256 << 20;

void write_header(std::string& bytes, const BatchHeader& header) {
  char* at = bytes.data();
  store_be<int64_t>(at, header.base_offset);
  store_be<int32_t>(at + 8, static_cast<int32_t>(bytes.size() - length_prefix_bytes));
  store_be<int32_t>(at + 12, header.leader_epoch);
  store_be<int8_t>(at + 16, header.magic);
  store_be<int16_t>(at + 21, header.attributes);
  store_be<int32_t>(at + 23, header.last_offset_delta);
  store_be<int64_t>(at + 27, header.base_timestamp_ms);
  store_be<int64_t>(at + 35, header.max_timestamp_ms);
  store_be<int64_t>(at + 43, header.producer_id);
  store_be<int16_t>(at + 51, header.producer_epoch);
  store_be<int32_t>(at + 53, header.base_sequence);
  store_be<int32_t>(at + 57, header.count);
  store_be<uint32_t>(at + 17, crc32c(std::string_view(bytes).substr(crc_from)));
}

void append_sized(std::string& to, const std::optional<std::string_view>& bytes) {
  append_varint(to, bytes ? static_cast<int64_t>(bytes->size()) : -1);
  if (bytes) to.append(*bytes);
}

void append_record(std::string& to, const RecordView& record, const BatchHeader& header) {
  std::string body;
  body.push_back('\0');
  append_varint(body, record.timestamp_ms - header.base_timestamp_ms);
  append_varint(body, record.offset - header.base_offset);
  append_sized(body, record.key);
  append_sized(body, record.value);
  append_varint(body, record.header_count);
  body.append(record.header_bytes);
  append_varint(to, static_cast<int64_t>(body.size()));
  to.append(body);
}

struct Kept {
  std::vector<RecordView> records;
  bool tombstones = false;
  int64_t max_timestamp_ms = -1;
};

Result<Kept> keep(const BatchHeader& header, std::string_view records,
                  const CompactionRules& rules) {
  bool horizon_passed = header.has_delete_horizon() && rules.now_ms >= header.base_timestamp_ms;
  Kept kept;
  RecordCursor cursor(header, records);
  for (RecordView record; cursor.next(record);) {
    if (!record.key || rules.latest.latest(*record.key) > record.offset) continue;
    if (!record.value && horizon_passed) continue;
    kept.tombstones |= !record.value;
    kept.max_timestamp_ms = std::max(kept.max_timestamp_ms, record.timestamp_ms);
    kept.records.push_back(record);
  }
  if (cursor.failed()) return Error(Code::corrupt, "a record that cannot be read");
  return kept;
}

}  // namespace

std::string empty_batch(const BatchHeader& header) {
  BatchHeader empty = header;
  empty.attributes = static_cast<int16_t>(header.attributes & ~(codec_mask | delete_horizon_bit));
  empty.base_timestamp_ms = header.max_timestamp_ms;
  empty.count = 0;
  std::string bytes(header_bytes, '\0');
  write_header(bytes, empty);
  return bytes;
}

Result<CompactedBatch> compact_batch(std::string_view batch, const CompactionRules& rules) {
  BatchHeader header = read_header(batch);
  CompactedBatch result;
  if (header.is_control()) return result;
  if (header.count == 0) {
    result.outcome = CompactedBatch::Outcome::empty;
    return result;
  }
  std::string scratch;
  auto records = records_of(batch, unpacked_bytes_max, scratch);
  if (!records) return records.error();
  auto kept = keep(header, *records, rules);
  if (!kept) return kept.error();
  result.records_dropped = header.count - static_cast<int32_t>(kept->records.size());
  if (kept->records.empty()) {
    result.outcome = CompactedBatch::Outcome::empty;
    return result;
  }
  bool begins_horizon = kept->tombstones && !header.has_delete_horizon();
  if (result.records_dropped == 0 && !begins_horizon) return result;
  BatchHeader next = header;
  next.count = static_cast<int32_t>(kept->records.size());
  if (!header.is_log_append_time()) next.max_timestamp_ms = kept->max_timestamp_ms;
  if (begins_horizon) {
    next.attributes = static_cast<int16_t>(header.attributes | delete_horizon_bit);
    next.base_timestamp_ms = rules.now_ms + rules.delete_retention_ms;
  }
  std::string plain;
  for (const RecordView& record : kept->records) append_record(plain, record, next);
  auto packed = codec::compress(static_cast<codec::Codec>(header.codec()), plain);
  if (!packed) return packed.error();
  result.outcome = CompactedBatch::Outcome::rewritten;
  result.bytes.assign(header_bytes, '\0');
  result.bytes.append(*packed);
  write_header(result.bytes, next);
  return result;
}

}  // namespace pinpipe::log
