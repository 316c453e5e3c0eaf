#include "log/batch.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "codec/compression.h"

namespace pinpipe::log {
namespace {

std::string batch_of(std::vector<std::string_view> values, int64_t timestamp_ms = 1000) {
  BatchBuilder builder;
  for (std::string_view value : values)
    builder.add({.key = "k", .value = value, .timestamp_ms = {}, .headers = {}}, timestamp_ms++);
  return std::move(builder).finish();
}

void sign(std::string& batch) {
  store_be<uint32_t>(batch.data() + 17, crc32c(std::string_view(batch).substr(crc_from)));
}

std::string compressed(std::string batch, codec::Codec codec) {
  auto packed = codec::compress(codec, std::string_view(batch).substr(header_bytes));
  EXPECT_TRUE(packed);
  batch.replace(header_bytes, std::string::npos, *packed);
  store_be<int32_t>(batch.data() + 8, static_cast<int32_t>(batch.size() - length_prefix_bytes));
  store_be<int16_t>(batch.data() + 21, static_cast<int16_t>(codec));
  sign(batch);
  return batch;
}

Fault fault_of(std::string_view batch, const Limits& limits = {}) {
  auto checked = check_produced(batch, limits);
  EXPECT_FALSE(checked);
  return checked ? Fault::closed : checked.error().fault;
}

TEST(BatchTest, built_records_are_read_back_with_keys_headers_and_tombstones) {
  BatchBuilder builder;
  std::array headers = {HeaderView{"a", "1"}, HeaderView{"b", std::nullopt}};
  builder.add({.key = {}, .value = "first", .timestamp_ms = {}, .headers = {}}, 5000);
  builder.add({.key = "key", .value = {}, .timestamp_ms = {}, .headers = headers}, 4000);
  std::string batch = std::move(builder).finish();
  assign(batch, 100, 3);

  auto header = check_produced(batch, {});
  ASSERT_TRUE(header) << header.error().text;
  EXPECT_EQ(header->leader_epoch, 3);
  EXPECT_EQ(header->last_offset(), 101);
  EXPECT_EQ(header->max_timestamp_ms, 5000);
  RecordCursor cursor(*header, std::string_view(batch).substr(header_bytes));
  RecordView record;
  ASSERT_TRUE(cursor.next(record));
  EXPECT_FALSE(record.key);
  EXPECT_EQ(record.value, "first");
  EXPECT_EQ(record.offset, 100);
  ASSERT_TRUE(cursor.next(record));
  EXPECT_EQ(record.key, "key");
  EXPECT_FALSE(record.value);
  EXPECT_EQ(record.timestamp_ms, 4000);
  ASSERT_EQ(record.headers().size(), 2u);
  EXPECT_EQ(record.headers()[0].value, "1");
  EXPECT_FALSE(record.headers()[1].value);
  EXPECT_FALSE(cursor.next(record));
  EXPECT_TRUE(cursor.at_end());
}

TEST(BatchTest, every_codec_is_taken_and_an_unknown_one_is_not) {
  std::string plain = batch_of({"one", "two", "three"});
  for (auto codec :
       {codec::Codec::gzip, codec::Codec::snappy, codec::Codec::lz4, codec::Codec::zstd}) {
    auto checked = check_produced(compressed(plain, codec), {});
    EXPECT_TRUE(checked) << static_cast<int>(codec) << " " << checked.error().text;
  }
  std::string unknown = compressed(plain, codec::Codec::gzip);
  unknown[22] = 5;
  sign(unknown);
  EXPECT_EQ(fault_of(unknown), Fault::unsupported_codec);
  EXPECT_EQ(fault_of(compressed(plain, codec::Codec::zstd), {.zstd_allowed = false}),
            Fault::unsupported_codec);
}

TEST(BatchTest, a_flipped_bit_anywhere_under_the_crc_is_refused) {
  const std::string good = batch_of({"value"});
  for (size_t at = crc_from; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    EXPECT_FALSE(check_produced(bad, {})) << at;
  }
}

TEST(BatchTest, counts_that_lie_are_refused) {
  for (int32_t count : {-1, 0, 1, 3, 1 << 30}) {
    std::string batch = batch_of({"a", "b"});
    store_be<int32_t>(batch.data() + 57, count);
    store_be<int32_t>(batch.data() + 23, count - 1);
    sign(batch);
    EXPECT_EQ(fault_of(batch), Fault::invalid_record) << count;
  }
  std::string batch = batch_of({"a", "b"});
  store_be<int32_t>(batch.data() + 23, 5);
  sign(batch);
  EXPECT_EQ(fault_of(batch), Fault::invalid_record);
}

TEST(BatchTest, what_only_the_broker_may_set_is_refused) {
  for (auto [bit, fault] : {std::pair{control_bit, Fault::invalid_record},
                            std::pair{log_append_time_bit, Fault::invalid_timestamp},
                            std::pair{transactional_bit, Fault::invalid_record}}) {
    std::string batch = batch_of({"a"});
    store_be<int16_t>(batch.data() + 21, bit);
    sign(batch);
    EXPECT_EQ(fault_of(batch), fault);
  }
}

TEST(BatchTest, too_large_before_or_after_unpacking_is_refused) {
  std::string zeros(1 << 20, '0');
  EXPECT_EQ(fault_of(batch_of({zeros}), {.batch_bytes_max = 1000}), Fault::too_large);
  EXPECT_EQ(
      fault_of(compressed(batch_of({zeros}), codec::Codec::zstd), {.decompressed_bytes_max = 1000}),
      Fault::too_large);
}

TEST(BatchTest, short_old_doubled_and_truncated_payloads_are_refused) {
  std::string batch = batch_of({"a"});
  EXPECT_EQ(fault_of(std::string_view(batch).substr(0, 60)), Fault::invalid_record);
  EXPECT_EQ(fault_of(std::string_view(batch).substr(0, batch.size() - 1)), Fault::invalid_record);
  EXPECT_EQ(fault_of(batch + batch), Fault::invalid_record);
  std::string old = batch;
  old[16] = 1;
  EXPECT_EQ(fault_of(old), Fault::unsupported_magic);
  std::string packed = compressed(batch, codec::Codec::lz4);
  packed.resize(packed.size() - 3);
  store_be<int32_t>(packed.data() + 8, static_cast<int32_t>(packed.size() - length_prefix_bytes));
  sign(packed);
  EXPECT_EQ(fault_of(packed), Fault::corrupt);
}

TEST(BatchTest, a_compacted_topic_names_the_record_without_a_key) {
  BatchBuilder builder;
  builder.add({.key = "k", .value = "v", .timestamp_ms = {}, .headers = {}}, 1);
  builder.add({.key = {}, .value = "v", .timestamp_ms = {}, .headers = {}}, 1);
  auto checked = check_produced(std::move(builder).finish(), {.keys_required = true});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().fault, Fault::invalid_record);
  EXPECT_EQ(checked.error().record, 1);
}

TEST(BatchTest, append_time_is_signed_again) {
  std::string batch = batch_of({"a", "b"});
  stamp_append_time(batch, 77);
  EXPECT_TRUE(crc_holds(batch));
  BatchHeader header = read_header(batch);
  RecordCursor cursor(header, std::string_view(batch).substr(header_bytes));
  RecordView record;
  ASSERT_TRUE(cursor.next(record));
  EXPECT_EQ(record.timestamp_ms, 77);
}

}  // namespace
}  // namespace pinpipe::log
