#include "log/batch.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/hash.h"

namespace pinpipe::log {
namespace {

Code code_of(Fault fault) {
  switch (fault) {
    case Fault::corrupt:
    case Fault::unsupported_magic:
    case Fault::unsupported_codec:
    case Fault::too_large:
    case Fault::invalid_timestamp:
    case Fault::invalid_record:
      return Code::invalid;
    case Fault::out_of_order_sequence:
    case Fault::stale_producer_epoch:
      return Code::conflict;
    case Fault::busy:
      return Code::busy;
    case Fault::storage:
      return Code::unavailable;
    case Fault::closed:
      return Code::not_found;
  }
  return Code::internal;
}

void append_sized(std::string& to, const std::optional<std::string_view>& bytes) {
  append_varint(to, bytes ? static_cast<int64_t>(bytes->size()) : -1);
  if (bytes) to.append(*bytes);
}

size_t sized(const std::optional<std::string_view>& bytes) {
  return bytes ? varint_size(static_cast<int64_t>(bytes->size())) + bytes->size() : 1;
}

size_t body_size(const LooseRecord& record) {
  size_t size = sized(record.key) + sized(record.value) +
                varint_size(static_cast<int64_t>(record.headers.size()));
  for (const HeaderView& header : record.headers) size += sized(header.key) + sized(header.value);
  return size;
}

// Length −1 is "none"; anything else negative fails the reader.
std::optional<std::string_view> take_sized(Reader& reader) {
  int64_t size = reader.varint();
  if (size == -1) return std::nullopt;
  return reader.take(size);
}

}  // namespace

Error Refusal::error() const {
  return Error(code_of(fault), text);
}

BatchHeader read_header(std::string_view bytes) {
  CHECK(bytes.size() >= header_bytes, "a batch header is read from enough bytes");
  const char* at = bytes.data();
  return {.base_offset = load_be<int64_t>(at),
          .length = load_be<int32_t>(at + 8),
          .leader_epoch = load_be<int32_t>(at + 12),
          .magic = load_be<int8_t>(at + 16),
          .crc = load_be<uint32_t>(at + 17),
          .attributes = load_be<int16_t>(at + 21),
          .last_offset_delta = load_be<int32_t>(at + 23),
          .base_timestamp_ms = load_be<int64_t>(at + 27),
          .max_timestamp_ms = load_be<int64_t>(at + 35),
          .producer_id = load_be<int64_t>(at + 43),
          .producer_epoch = load_be<int16_t>(at + 51),
          .base_sequence = load_be<int32_t>(at + 53),
          .count = load_be<int32_t>(at + 57)};
}

void assign(std::span<char> batch, Offset base_offset, int32_t leader_epoch) {
  store_be<int64_t>(batch.data(), base_offset);
  store_be<int32_t>(batch.data() + 12, leader_epoch);
}

void stamp_append_time(std::span<char> batch, int64_t now_ms) {
  auto attributes = load_be<int16_t>(batch.data() + 21);
  store_be<int16_t>(batch.data() + 21, static_cast<int16_t>(attributes | log_append_time_bit));
  store_be<int64_t>(batch.data() + 35, now_ms);
  store_be<uint32_t>(batch.data() + 17,
                     crc32c(std::string_view(batch.data(), batch.size()).substr(crc_from)));
}

bool crc_holds(std::string_view batch) {
  return batch.size() >= header_bytes &&
         crc32c(batch.substr(crc_from)) == load_be<uint32_t>(batch.data() + 17);
}

std::vector<HeaderView> RecordView::headers() const {
  std::vector<HeaderView> headers;
  headers.reserve(static_cast<size_t>(header_count));
  Reader reader(header_bytes);
  for (int32_t i = 0; i < header_count && !reader.failed(); ++i) {
    std::string_view name = reader.take(reader.varint());
    headers.push_back({name, take_sized(reader)});
  }
  return headers;
}

bool RecordCursor::next(RecordView& record) {
  if (failed_ || seen_ == header_.count) return false;
  std::string_view bytes = reader_.take(reader_.varint());
  if (reader_.failed()) return fail();
  Reader body(bytes);
  body.be<int8_t>();
  int64_t timestamp_delta = body.varint();
  int64_t offset_delta = body.varint();
  record.key = take_sized(body);
  record.value = take_sized(body);
  int64_t header_count = body.varint();
  // A header takes at least two bytes: a count beyond that lies.
  if (body.failed() || header_count < 0 ||
      static_cast<uint64_t>(header_count) * 2 > body.remaining() || offset_delta < 0 ||
      offset_delta > header_.last_offset_delta)
    return fail();
  record.header_bytes = body.rest();
  record.header_count = static_cast<int32_t>(header_count);
  for (int64_t i = 0; i < header_count; ++i) {
    body.take(body.varint());
    take_sized(body);
  }
  if (body.failed() || body.remaining() != 0) return fail();
  record.offset = header_.base_offset + offset_delta;
  // Unsigned, because the sum of a client's numbers may wrap.
  record.timestamp_ms =
      header_.is_log_append_time()
          ? header_.max_timestamp_ms
          : static_cast<int64_t>(static_cast<uint64_t>(header_.base_timestamp_ms) +
                                 static_cast<uint64_t>(timestamp_delta));
  ++seen_;
  return true;
}

bool BatchCursor::next(BatchHeader& header, std::string_view& batch) {
  if (rest_.size() < header_bytes) return false;
  header = read_header(rest_);
  if (!header.has_sane_length() || header.size_bytes() > rest_.size()) return false;
  batch = rest_.substr(0, header.size_bytes());
  rest_.remove_prefix(batch.size());
  return true;
}

size_t size_bound(const LooseRecord& record) {
  constexpr size_t prefix_bytes_max = 5 + 1 + 10 + 5;
  return prefix_bytes_max + body_size(record);
}

BatchBuilder::BatchBuilder(size_t reserve_bytes) {
  bytes_.reserve(header_bytes + reserve_bytes);
  bytes_.resize(header_bytes);
}

void BatchBuilder::add(const LooseRecord& record, int64_t timestamp_ms) {
  if (count_ == 0) {
    base_timestamp_ms_ = timestamp_ms;
    max_timestamp_ms_ = timestamp_ms;
  }
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
  int64_t timestamp_delta = timestamp_ms - base_timestamp_ms_;
  size_t length = 1 + varint_size(timestamp_delta) + varint_size(count_) + body_size(record);
  append_varint(bytes_, static_cast<int64_t>(length));
  bytes_.push_back('\0');
  append_varint(bytes_, timestamp_delta);
  append_varint(bytes_, count_);
  append_sized(bytes_, record.key);
  append_sized(bytes_, record.value);
  append_varint(bytes_, static_cast<int64_t>(record.headers.size()));
  for (const HeaderView& header : record.headers) {
    append_sized(bytes_, header.key);
    append_sized(bytes_, header.value);
  }
  ++count_;
}

std::string BatchBuilder::finish() && {
  CHECK(count_ > 0, "a batch has a record");
  char* at = bytes_.data();
  store_be<int64_t>(at, 0);
  store_be<int32_t>(at + 8, static_cast<int32_t>(bytes_.size() - length_prefix_bytes));
  store_be<int32_t>(at + 12, 0);
  store_be<int8_t>(at + 16, 2);
  store_be<int16_t>(at + 21, 0);
  store_be<int32_t>(at + 23, count_ - 1);
  store_be<int64_t>(at + 27, base_timestamp_ms_);
  store_be<int64_t>(at + 35, max_timestamp_ms_);
  store_be<int64_t>(at + 43, -1);
  store_be<int16_t>(at + 51, -1);
  store_be<int32_t>(at + 53, -1);
  store_be<int32_t>(at + 57, count_);
  store_be<uint32_t>(at + 17, crc32c(std::string_view(bytes_).substr(crc_from)));
  return std::move(bytes_);
}

}  // namespace pinpipe::log
