#include "lake/parquet_column.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "codec/compression.h"
#include "lake/parquet_runs.h"
#include "lake/thrift.h"

namespace pinpipe::lake {
namespace {

using Kind = ThriftReader::Kind;

enum Encoding : int {
  plain = 0,
  plain_dictionary = 2,
  runs = 3,
  delta_binary_packed = 5,
  delta_length_byte_array = 6,
  delta_byte_array = 7,
  rle_dictionary = 8,
};

Error damaged(std::string_view what) {
  return {Code::corrupt, fmt::format("a Parquet column's {}", what)};
}

template <class T>
T load(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

struct ParquetColumn::PageHeader {
  int64_t type = -1;
  int64_t bytes = -1;
  int64_t packed_bytes = -1;
  int64_t values = -1;
  int64_t encoding = -1;
  int64_t definition_bytes = 0;
  int64_t repetition_bytes = 0;
  bool is_packed = true;
};

ParquetColumn::ParquetColumn(const ParquetLeaf& leaf, const ParquetChunk& chunk, std::string bytes)
    : type_(leaf.type),
      definition_max_(leaf.definition_max),
      repetition_max_(leaf.repetition_max),
      codec_(chunk.codec),
      bytes_(std::move(bytes)),
      values_left_(chunk.values) {}

Result<ParquetColumn> ParquetColumn::open(io::File& file, const ParquetLeaf& leaf,
                                          const ParquetChunk& chunk) {
  bool known = leaf.type == ParquetType::boolean || leaf.type == ParquetType::int32 ||
               leaf.type == ParquetType::int64 || leaf.type == ParquetType::bytes;
  if (!known) return damaged("type is none that a checkpoint has there");
  std::string bytes(chunk.bytes, '\0');
  auto got = file.read_at(bytes, chunk.offset);
  if (!got) return got.error();
  if (*got != bytes.size()) return damaged("bytes are cut off");
  return ParquetColumn(leaf, chunk, std::move(bytes));
}

bool ParquetColumn::next() {
  while (entry_ == entries_) {
    if (!load_page()) return false;
  }
  definition_ = definition_max_ == 0 ? 0 : static_cast<int>(definitions_[entry_]);
  ++entry_;
  if (!is_null()) value_ = next_value_++;
  return true;
}

bool ParquetColumn::row_goes_on() {
  if (repetition_max_ == 0) return false;
  while (entry_ == entries_) {
    if (!load_page()) return false;
  }
  return repetitions_[entry_] > 0;
}

bool ParquetColumn::load_page() {
  if (!status_ || values_left_ == 0) return false;
  status_ = read_page();
  return status_.has_value();
}

Result<ParquetColumn::PageHeader> ParquetColumn::read_header() {
  ThriftReader in(std::string_view(bytes_).substr(at_));
  PageHeader page;
  // The three kinds of pages keep their facts in a struct of their own each.
  auto read_inner = [&in, &page](int kind) {
    int last = 0;
    while (!in.failed()) {
      ThriftReader::Field field = in.field(last);
      if (field.kind == Kind::stop) return;
      last = field.id;
      bool v2 = kind == 8;
      bool number = field.kind == Kind::int32;
      if (number && field.id == 1) {
        page.values = in.integer();
      } else if (number && field.id == (v2 ? 4 : 2)) {
        page.encoding = in.integer();
      } else if (number && v2 && field.id == 5) {
        page.definition_bytes = in.integer();
      } else if (number && v2 && field.id == 6) {
        page.repetition_bytes = in.integer();
      } else if (v2 && field.id == 7) {
        page.is_packed = in.flag(field);
      } else {
        in.skip(field.kind);
      }
    }
  };
  int last = 0;
  while (!in.failed()) {
    ThriftReader::Field field = in.field(last);
    if (field.kind == Kind::stop) break;
    last = field.id;
    bool number = field.kind == Kind::int32;
    if (number && field.id == 1) {
      page.type = in.integer();
    } else if (number && field.id == 2) {
      page.bytes = in.integer();
    } else if (number && field.id == 3) {
      page.packed_bytes = in.integer();
    } else if (field.kind == Kind::structure && (field.id == 5 || field.id == 7 || field.id == 8)) {
      read_inner(field.id);
    } else {
      in.skip(field.kind);
    }
  }
  if (in.failed()) return damaged("page header is malformed");
  at_ += in.consumed();
  bool good = page.packed_bytes >= 0 &&
              static_cast<size_t>(page.packed_bytes) <= bytes_.size() - at_ && page.bytes >= 0 &&
              static_cast<size_t>(page.bytes) <= page_bytes_max;
  if (!good) return damaged("page is larger than what is left");
  return page;
}

Status ParquetColumn::read_page() {
  auto page = read_header();
  if (!page) return page.error();
  std::string_view body =
      std::string_view(bytes_).substr(at_, static_cast<size_t>(page->packed_bytes));
  at_ += body.size();
  entries_ = entry_ = next_value_ = 0;
  if (page->type == 1) return {};  // an index: of no use here
  bool sane = page->values >= 0 && static_cast<size_t>(page->values) <= page_values_max;
  if (!sane) return damaged("page says that it has too many values");
  if (page->type == 2) return read_dictionary(*page, body);
  if (page->type != 0 && page->type != 3) return damaged("page is of an unknown kind");
  if (page->values > values_left_) return damaged("pages have more values than the column");
  values_left_ -= page->values;
  return read_data(*page, body);
}

// Into page_bytes_, or as they are.
Result<std::string_view> ParquetColumn::unpack(std::string_view bytes, size_t size) {
  codec::Codec codec{};
  switch (codec_) {
    case 0:
      return bytes;
    case 1:
      codec = codec::Codec::snappy;
      break;
    case 2:
      codec = codec::Codec::gzip;
      break;
    case 6:
      codec = codec::Codec::zstd;
      break;
    default:
      return Error(Code::invalid,
                   fmt::format("a Parquet column is compressed with codec {}, which we do not "
                               "read (none, snappy, gzip and zstd we do)",
                               codec_));
  }
  if (size == 0) return std::string_view();
  auto plain = codec::decompress(codec, bytes, size);
  if (!plain) return damaged(plain.error().text());
  page_bytes_ = std::move(*plain);
  if (page_bytes_.size() != size) return damaged("page is shorter than it says");
  return std::string_view(page_bytes_);
}

Status ParquetColumn::read_dictionary(const PageHeader& page, std::string_view body) {
  if (has_dictionary_) return damaged("dictionary is there twice");
  auto plain = unpack(body, static_cast<size_t>(page.bytes));
  if (!plain) return plain.error();
  dictionary_bytes_ = *plain;
  Status read = read_plain(dictionary_bytes_, static_cast<size_t>(page.values));
  if (!read) return read;
  dictionary_numbers_ = std::move(numbers_);
  dictionary_texts_ = std::move(texts_);
  numbers_.clear();
  texts_.clear();
  has_dictionary_ = true;
  return {};
}

Status ParquetColumn::read_data(const PageHeader& page, std::string_view body) {
  auto count = static_cast<size_t>(page.values);
  auto size = static_cast<size_t>(page.bytes);
  std::string_view repetitions;
  std::string_view definitions;
  std::string_view values;
  if (page.type == 3) {
    // The levels stand before the values and are never compressed.
    bool good = page.repetition_bytes >= 0 && page.definition_bytes >= 0 &&
                static_cast<size_t>(page.repetition_bytes) <= body.size() &&
                static_cast<size_t>(page.definition_bytes) <=
                    body.size() - static_cast<size_t>(page.repetition_bytes) &&
                static_cast<size_t>(page.repetition_bytes + page.definition_bytes) <= size;
    if (!good) return damaged("levels are longer than their page");
    repetitions = body.substr(0, static_cast<size_t>(page.repetition_bytes));
    body.remove_prefix(repetitions.size());
    definitions = body.substr(0, static_cast<size_t>(page.definition_bytes));
    body.remove_prefix(definitions.size());
    size -= repetitions.size() + definitions.size();
    values = body;
    if (page.is_packed) {
      auto plain = unpack(body, size);
      if (!plain) return plain.error();
      values = *plain;
    }
  } else {
    auto plain = unpack(body, size);
    if (!plain) return plain.error();
    values = *plain;
    for (auto [levels, max] :
         {std::pair(&repetitions, repetition_max_), std::pair(&definitions, definition_max_)}) {
      if (max == 0) continue;
      if (values.size() < 4) return damaged("levels are cut off");
      auto bytes = load<uint32_t>(values, 0);
      values.remove_prefix(4);
      if (bytes > values.size()) return damaged("levels are cut off");
      *levels = values.substr(0, bytes);
      values.remove_prefix(bytes);
    }
  }
  bool good = read_runs(repetitions, bit_width(repetition_max_), count, repetitions_) &&
              read_runs(definitions, bit_width(definition_max_), count, definitions_);
  auto beyond = [](const std::vector<uint32_t>& levels, int max) {
    return std::ranges::any_of(levels,
                               [max](uint32_t l) { return l > static_cast<uint32_t>(max); });
  };
  if (!good || beyond(repetitions_, repetition_max_) || beyond(definitions_, definition_max_)) {
    return damaged("levels are malformed");
  }
  size_t present = count;
  if (definition_max_ > 0) {
    present = static_cast<size_t>(
        std::ranges::count(definitions_, static_cast<uint32_t>(definition_max_)));
  }
  Status read = read_values(static_cast<int>(page.encoding), values, present);
  if (!read) return read;
  entries_ = count;
  return {};
}

Status ParquetColumn::read_values(int encoding, std::string_view bytes, size_t count) {
  numbers_.clear();
  texts_.clear();
  if (count == 0) return {};
  bool is_text = type_ == ParquetType::bytes;
  switch (encoding) {
    case plain:
      return read_plain(bytes, count);
    case plain_dictionary:
    case rle_dictionary:
      return read_by_dictionary(bytes, count);
    case runs: {
      if (type_ != ParquetType::boolean || bytes.size() < 4) break;
      std::vector<uint32_t> flags;
      if (!read_runs(bytes.substr(4), 1, count, flags)) return damaged("values are malformed");
      numbers_.assign(flags.begin(), flags.end());
      return {};
    }
    case delta_binary_packed: {
      if (is_text || type_ == ParquetType::boolean) break;
      size_t consumed = 0;
      if (!read_deltas(bytes, count, numbers_, consumed)) return damaged("values are malformed");
      return {};
    }
    case delta_length_byte_array:
      if (!is_text) break;
      return read_delta_lengths(bytes, count);
    case delta_byte_array:
      if (!is_text) break;
      return read_delta_texts(bytes, count);
    default:
      break;
  }
  return Error(Code::invalid,
               fmt::format("a Parquet column has encoding {}, which we do not read", encoding));
}

Status ParquetColumn::read_plain(std::string_view bytes, size_t count) {
  numbers_.clear();
  texts_.clear();
  if (type_ == ParquetType::bytes) {
    texts_.reserve(std::min(count, bytes.size() / 4));
    for (size_t i = 0; i < count; ++i) {
      if (bytes.size() < 4) return damaged("values are cut off");
      auto size = load<uint32_t>(bytes, 0);
      bytes.remove_prefix(4);
      if (size > bytes.size()) return damaged("values are cut off");
      texts_.push_back(bytes.substr(0, size));
      bytes.remove_prefix(size);
    }
    return {};
  }
  if (type_ == ParquetType::boolean) {
    if (bytes.size() < (count + 7) / 8) return damaged("values are cut off");
    numbers_.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      numbers_.push_back((static_cast<unsigned char>(bytes[i / 8]) >> (i % 8)) & 1);
    }
    return {};
  }
  size_t width = type_ == ParquetType::int32 ? 4 : 8;
  if (bytes.size() / width < count) return damaged("values are cut off");
  numbers_.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    numbers_.push_back(width == 4 ? load<int32_t>(bytes, i * 4) : load<int64_t>(bytes, i * 8));
  }
  return {};
}

Status ParquetColumn::read_by_dictionary(std::string_view bytes, size_t count) {
  if (!has_dictionary_ || bytes.empty()) return damaged("dictionary is missing");
  int width = static_cast<unsigned char>(bytes[0]);
  std::vector<uint32_t> indexes;
  // With one value in the dictionary an index takes no bits.
  if (width > 32 || (width > 0 && !read_runs(bytes.substr(1), width, count, indexes))) {
    return damaged("values are malformed");
  }
  if (width == 0) indexes.assign(count, 0);
  bool is_text = type_ == ParquetType::bytes;
  size_t known = is_text ? dictionary_texts_.size() : dictionary_numbers_.size();
  if (is_text) texts_.reserve(count);
  if (!is_text) numbers_.reserve(count);
  for (uint32_t index : indexes) {
    if (index >= known) return damaged("values are not in its dictionary");
    if (is_text) texts_.push_back(dictionary_texts_[index]);
    if (!is_text) numbers_.push_back(dictionary_numbers_[index]);
  }
  return {};
}

Status ParquetColumn::read_delta_lengths(std::string_view bytes, size_t count) {
  std::vector<int64_t> sizes;
  size_t consumed = 0;
  if (!read_deltas(bytes, count, sizes, consumed)) return damaged("values are malformed");
  bytes.remove_prefix(consumed);
  for (int64_t size : sizes) {
    if (size < 0 || static_cast<size_t>(size) > bytes.size()) return damaged("values are cut off");
    texts_.push_back(bytes.substr(0, static_cast<size_t>(size)));
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  return {};
}

Status ParquetColumn::read_delta_texts(std::string_view bytes, size_t count) {
  std::vector<int64_t> prefixes;
  size_t consumed = 0;
  if (!read_deltas(bytes, count, prefixes, consumed)) return damaged("values are malformed");
  bytes.remove_prefix(consumed);
  Status suffixes = read_delta_lengths(bytes, count);
  if (!suffixes) return suffixes;
  // Joined behind each other first: views stay valid only once nothing grows any more.
  joined_texts_.clear();
  std::vector<size_t> ends;
  size_t last = 0;
  for (size_t i = 0; i < count; ++i) {
    size_t begin = joined_texts_.size();
    if (prefixes[i] < 0 || static_cast<size_t>(prefixes[i]) > begin - last ||
        begin + texts_[i].size() > page_bytes_max) {
      return damaged("values are malformed");
    }
    joined_texts_.append(joined_texts_.substr(last, static_cast<size_t>(prefixes[i])));
    joined_texts_.append(texts_[i]);
    ends.push_back(joined_texts_.size());
    last = begin;
  }
  size_t begin = 0;
  for (size_t i = 0; i < count; ++i) {
    texts_[i] = std::string_view(joined_texts_).substr(begin, ends[i] - begin);
    begin = ends[i];
  }
  return {};
}

}  // namespace pinpipe::lake
