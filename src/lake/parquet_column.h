// The values of one column of one row group of a Parquet file, in order.
// Reads pages of version 1 and 2 with all encodings that writers of integers, truth values and text
// use (PLAIN, both dictionaries, RLE, the DELTA family), uncompressed or as snappy, gzip or zstd.
// Promise: malformed input is `corrupt`; another codec or encoding is `invalid` by its number.
// Bounds: one chunk's bytes and one page's values (page_values_max) are in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lake/parquet_footer.h"

namespace pinpipe::lake {

// Not to be moved once next() was called: its views are into itself.
class ParquetColumn {
 public:
  static constexpr size_t page_values_max = size_t{16} << 20;
  static constexpr size_t page_bytes_max = size_t{1} << 30;

  // Blocks: reads the chunk.
  static Result<ParquetColumn> open(io::File& file, const ParquetLeaf& leaf,
                                    const ParquetChunk& chunk);

  // Goes to the next entry; false at the chunk's end, or when something was wrong: see status().
  bool next();
  // Whether the entry behind this one belongs to the same row.
  bool row_goes_on();

  // Whether entries are text(); otherwise they are number().
  bool is_text() const { return type_ == ParquetType::bytes; }
  bool is_null() const { return definition_ < definition_max_; }
  int definition() const { return definition_; }
  // Of the present entry, if it is not null. Text lives until next().
  int64_t number() const { return numbers_[value_]; }
  std::string_view text() const { return texts_[value_]; }

  const Status& status() const { return status_; }

 private:
  ParquetColumn(const ParquetLeaf& leaf, const ParquetChunk& chunk, std::string bytes);

  struct PageHeader;
  bool load_page();
  Status read_page();
  Result<PageHeader> read_header();
  Status read_dictionary(const PageHeader& page, std::string_view body);
  Status read_data(const PageHeader& page, std::string_view body);
  Status read_values(int encoding, std::string_view bytes, size_t count);
  Status read_plain(std::string_view bytes, size_t count);
  Status read_by_dictionary(std::string_view bytes, size_t count);
  Status read_delta_lengths(std::string_view bytes, size_t count);
  Status read_delta_texts(std::string_view bytes, size_t count);
  Result<std::string_view> unpack(std::string_view bytes, size_t size);

  ParquetType type_;
  int definition_max_;
  int repetition_max_;
  int codec_;
  std::string bytes_;
  size_t at_ = 0;
  int64_t values_left_;

  bool has_dictionary_ = false;
  std::string dictionary_bytes_;
  std::vector<int64_t> dictionary_numbers_;
  std::vector<std::string_view> dictionary_texts_;

  std::string page_bytes_;
  std::string joined_texts_;  // of an encoding that shares prefixes
  std::vector<uint32_t> definitions_;
  std::vector<uint32_t> repetitions_;
  std::vector<int64_t> numbers_;
  std::vector<std::string_view> texts_;
  size_t entries_ = 0;  // of the page
  size_t entry_ = 0;    // the next one
  size_t value_ = 0;    // the present one's
  size_t next_value_ = 0;
  int definition_ = 0;
  Status status_;
};

}  // namespace pinpipe::lake
