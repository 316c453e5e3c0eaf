// What is checked of a client's batch before the log takes it, and how its records are unpacked.
#include "codec/compression.h"
#include "log/batch.h"

namespace pinpipe::log {
namespace {

constexpr int highest_codec = 4;
constexpr int zstd_codec = 4;

std::unexpected<Refusal> refuse(Fault fault, std::string text) {
  return std::unexpected(Refusal{fault, std::move(text)});
}

Accepted<BatchHeader> check_frame(std::string_view bytes, const Limits& limits) {
  if (bytes.size() < header_bytes) return refuse(Fault::invalid_record, "no whole batch");
  BatchHeader header = read_header(bytes);
  if (header.magic != 2)
    return refuse(Fault::unsupported_magic,
                  "message format " + std::to_string(header.magic) + "; only 2 is supported");
  if (!header.has_sane_length())
    return refuse(Fault::corrupt, "a batch length of " + std::to_string(header.length));
  if (header.size_bytes() > bytes.size()) return refuse(Fault::invalid_record, "no whole batch");
  if (header.size_bytes() < bytes.size())
    return refuse(Fault::invalid_record, "more than one batch for a partition");
  if (bytes.size() > limits.batch_bytes_max)
    return refuse(Fault::too_large, "a batch of " + std::to_string(bytes.size()) +
                                        " bytes; at most " +
                                        std::to_string(limits.batch_bytes_max) + " are taken");
  if (!crc_holds(bytes)) return refuse(Fault::corrupt, "the batch's CRC does not hold");
  return header;
}

Accepted<BatchHeader> check_fields(const BatchHeader& header, const Limits& limits) {
  if (header.codec() > highest_codec)
    return refuse(Fault::unsupported_codec, "codec " + std::to_string(header.codec()));
  if (header.codec() == zstd_codec && !limits.zstd_allowed)
    return refuse(Fault::unsupported_codec, "zstd needs a newer request version");
  if (header.is_control()) return refuse(Fault::invalid_record, "control batches are the broker's");
  if (header.is_log_append_time())
    return refuse(Fault::invalid_timestamp, "log append time is the broker's to set");
  if (header.has_delete_horizon())
    return refuse(Fault::invalid_record, "the delete horizon is the broker's to set");
  if (header.count <= 0 || header.last_offset_delta != header.count - 1)
    return refuse(Fault::invalid_record, "the record count does not agree with the offsets");
  if (header.producer_id >= 0 && (header.base_sequence < 0 || header.producer_epoch < 0))
    return refuse(Fault::invalid_record, "a producer id without epoch or sequence");
  if ((header.attributes & transactional_bit) != 0)
    return refuse(Fault::invalid_record, "transactions are not supported");
  return header;
}

}  // namespace

Result<std::string_view> records_of(std::string_view batch, size_t bytes_max,
                                    std::string& scratch) {
  BatchHeader header = read_header(batch);
  std::string_view stored = batch.substr(header_bytes);
  if (header.codec() == 0 || header.count == 0) return stored;
  if (header.codec() > highest_codec)
    return Error(Code::corrupt, "codec " + std::to_string(header.codec()));
  auto unpacked = codec::decompress(static_cast<codec::Codec>(header.codec()), stored, bytes_max);
  if (!unpacked) return unpacked.error();
  scratch = std::move(*unpacked);
  return std::string_view(scratch);
}

Accepted<BatchHeader> check_produced(std::string_view bytes, const Limits& limits) {
  auto header = check_frame(bytes, limits);
  if (header) header = check_fields(*header, limits);
  if (!header) return header;
  std::string scratch;
  auto records = records_of(bytes, limits.decompressed_bytes_max, scratch);
  if (!records) {
    Fault fault = records.error().code() == Code::invalid ? Fault::too_large : Fault::corrupt;
    return refuse(fault, records.error().text());
  }
  RecordCursor cursor(*header, *records);
  int32_t seen = 0;
  for (RecordView record; cursor.next(record); ++seen) {
    if (record.offset != header->base_offset + seen)
      return refuse(Fault::invalid_record, "record offsets that are not consecutive");
    if (limits.keys_required && !record.key)
      return std::unexpected(
          Refusal{Fault::invalid_record, "a compacted topic takes no record without a key", seen});
  }
  if (cursor.failed() || !cursor.at_end())
    return refuse(Fault::invalid_record, "the records do not agree with the batch's count");
  return header;
}

}  // namespace pinpipe::log
