// Kafka's record batch v2: the one shape of records from door to disk to follower.
//
//   0  base offset     8   27 base timestamp  8      attributes: bits 0-2 codec, 3 log append time,
//   8  length          4   35 max timestamp   8                  4 transactional, 5 control
//  12  leader epoch    4   43 producer id     8      length counts the bytes after itself
//  16  magic = 2       1   51 producer epoch  2      crc covers everything from byte 21 on, so that
//  17  crc-32c         4   53 base sequence   4      base offset and leader epoch can be filled in
//  21  attributes      2   57 record count    4      without touching what the producer signed
//  23  last offset Δ   4   61 records …
//
//   record = varint length · attributes 1 · varint timestamp Δ · varint offset Δ · varint key
//   length
//            (−1: none) key · varint value length (−1: none) value · varint header count · headers
//   header = varint key length · key · varint value length (−1: none) · value
//
// Nothing here touches a device. Views point into bytes that the caller keeps.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace pinpipe::log {

using Offset = int64_t;

inline constexpr size_t header_bytes = 61;
inline constexpr size_t crc_from = 21;             // the first byte that the CRC covers
inline constexpr size_t length_prefix_bytes = 12;  // base offset and length
inline constexpr int16_t codec_mask = 0x07;
inline constexpr int16_t log_append_time_bit = 0x08;
inline constexpr int16_t transactional_bit = 0x10;
inline constexpr int16_t control_bit = 0x20;
inline constexpr int16_t delete_horizon_bit = 0x40;  // compaction wrote it; see compaction.h

// Why the log or its validation did not take a batch. Doors give it their protocol's words.
enum class Fault {
  corrupt,                // the CRC or the framing does not hold
  unsupported_magic,      // message format v0 or v1
  unsupported_codec,      // a codec number that nobody assigned
  too_large,              // beyond max.message.bytes, before or after decompression
  invalid_timestamp,      // outside the bounds, or log append time set by a client
  invalid_record,         // counts that lie, a record without key in a compacted topic
  out_of_order_sequence,  // the idempotent producer's batch is not the next one
  stale_producer_epoch,   // a newer instance of the producer has written
  busy,                   // pending_bytes_max is reached; try again
  storage,                // the disk did not take it, or the partition is poisoned until restart
  closed,                 // the log is closed or its topic deleted
};

struct Refusal {
  Fault fault;
  std::string text;
  int32_t record = -1;  // which record of the batch, when it is about one

  Error error() const;
};

template <class T>
using Accepted = std::expected<T, Refusal>;

struct BatchHeader {
  Offset base_offset = 0;
  int32_t length = 0;
  int32_t leader_epoch = 0;
  int8_t magic = 2;
  uint32_t crc = 0;
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp_ms = 0;
  int64_t max_timestamp_ms = 0;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
  int32_t count = 0;

  bool has_sane_length() const {
    return length >= static_cast<int32_t>(header_bytes - length_prefix_bytes);
  }
  size_t size_bytes() const { return length_prefix_bytes + static_cast<size_t>(length); }
  Offset last_offset() const { return base_offset + last_offset_delta; }
  int codec() const { return attributes & codec_mask; }
  bool is_log_append_time() const { return (attributes & log_append_time_bit) != 0; }
  bool is_control() const { return (attributes & control_bit) != 0; }
  bool has_delete_horizon() const { return (attributes & delete_horizon_bit) != 0; }
};

// `bytes` holds at least header_bytes.
BatchHeader read_header(std::string_view bytes);
// What outside the CRC the log fills in.
void assign(std::span<char> batch, Offset base_offset, int32_t leader_epoch);
// Turns the batch into one with log append time, CRC included.
void stamp_append_time(std::span<char> batch, int64_t now_ms);
bool crc_holds(std::string_view batch);

struct HeaderView {
  std::string_view key;
  std::optional<std::string_view> value;
};

// One stored record; the views point into the decompressed records.
struct RecordView {
  Offset offset = 0;
  int64_t timestamp_ms = 0;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::string_view header_bytes;
  int32_t header_count = 0;

  // Fails only for bytes that RecordCursor did not check.
  std::vector<HeaderView> headers() const;
};

// Walks over the decompressed records of one batch. A malformed record ends the walk with failed().
class RecordCursor {
 public:
  RecordCursor(const BatchHeader& header, std::string_view records)
      : header_(header), reader_(records) {}
  bool next(RecordView& record);
  bool failed() const { return failed_; }
  bool at_end() const { return seen_ == header_.count && reader_.remaining() == 0; }

 private:
  bool fail() {
    failed_ = true;
    return false;
  }

  BatchHeader header_;
  Reader reader_;
  int32_t seen_ = 0;
  bool failed_ = false;
};

// The records of `batch`: the bytes themselves, or decompressed into `scratch`.
Result<std::string_view> records_of(std::string_view batch, size_t bytes_max, std::string& scratch);

// Consecutive batches in `bytes`; ends at the first incomplete one.
class BatchCursor {
 public:
  explicit BatchCursor(std::string_view bytes) : rest_(bytes) {}
  bool next(BatchHeader& header, std::string_view& batch);
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

struct Limits {
  size_t batch_bytes_max = 1'048'588;
  size_t decompressed_bytes_max = 64 << 20;  // a bomb is refused before it is unpacked
  bool keys_required = false;
  bool zstd_allowed = true;
};

// Everything that is checked of a client's batch before it may be appended: exactly one batch, its
// CRC, counts, codec, every record's frame.
Accepted<BatchHeader> check_produced(std::string_view bytes, const Limits& limits);

// A record that comes alone (REST, Kinesis) and is merged into a batch.
struct LooseRecord {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::optional<int64_t> timestamp_ms;  // nothing: arrival
  std::span<const HeaderView> headers;
};

// What the record adds to a batch at most.
size_t size_bound(const LooseRecord& record);

// Collects loose records into one uncompressed batch without producer id. One copy of the bytes.
class BatchBuilder {
 public:
  explicit BatchBuilder(size_t reserve_bytes = 4096);

  void add(const LooseRecord& record, int64_t timestamp_ms);
  int32_t count() const { return count_; }
  size_t size_bytes() const { return bytes_.size(); }
  // Writes the header with its CRC; nothing may be added afterwards.
  std::string finish() &&;

 private:
  std::string bytes_;
  int32_t count_ = 0;
  int64_t base_timestamp_ms_ = 0;
  int64_t max_timestamp_ms_ = 0;
};

}  // namespace pinpipe::log
