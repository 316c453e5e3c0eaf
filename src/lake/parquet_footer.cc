#include "lake/parquet_footer.h"

#include <cstring>
#include <fmt/format.h>

#include "lake/thrift.h"

namespace pinpipe::lake {
namespace {

using Kind = ThriftReader::Kind;

Error damaged(std::string_view what) {
  return {Code::corrupt, fmt::format("no whole Parquet file: {}", what)};
}

// Calls `on_field` for each field of the struct; what it does not take (false) is skipped.
template <class OnField>
void read_struct(ThriftReader& in, OnField on_field) {
  int last = 0;
  while (!in.failed()) {
    ThriftReader::Field field = in.field(last);
    if (field.kind == Kind::stop) return;
    last = field.id;
    if (!on_field(field)) in.skip(field.kind);
  }
}

bool is_integer(Kind kind) {
  return kind == Kind::int16 || kind == Kind::int32 || kind == Kind::int64;
}

struct Element {
  std::string name;
  int64_t type = -1;
  int64_t repetition = 0;
  int64_t children = 0;
  std::optional<int32_t> field_id;
};

Element read_element(ThriftReader& in) {
  Element element;
  read_struct(in, [&](ThriftReader::Field field) {
    if (field.id == 4 && field.kind == Kind::binary) {
      element.name = in.binary();
      return true;
    }
    if (!is_integer(field.kind)) return false;
    if (field.id == 1) {
      element.type = in.integer();
    } else if (field.id == 3) {
      element.repetition = in.integer();
    } else if (field.id == 5) {
      element.children = in.integer();
    } else if (field.id == 9) {
      element.field_id = static_cast<int32_t>(in.integer());
    } else {
      return false;
    }
    return true;
  });
  return element;
}

ParquetChunk read_chunk_facts(ThriftReader& in) {
  ParquetChunk chunk;
  int64_t data_offset = -1;
  int64_t dictionary_offset = -1;
  int64_t bytes = -1;
  read_struct(in, [&](ThriftReader::Field field) {
    if (!is_integer(field.kind)) return false;
    if (field.id == 4) {
      chunk.codec = static_cast<int>(in.integer());
    } else if (field.id == 5) {
      chunk.values = in.integer();
    } else if (field.id == 7) {
      bytes = in.integer();
    } else if (field.id == 9) {
      data_offset = in.integer();
    } else if (field.id == 11) {
      dictionary_offset = in.integer();
    } else {
      return false;
    }
    return true;
  });
  // Some writers leave a zero where there is no dictionary.
  bool has_dictionary = dictionary_offset > 0 && dictionary_offset < data_offset;
  int64_t offset = has_dictionary ? dictionary_offset : data_offset;
  if (offset < 0 || bytes < 0) {
    chunk.values = -1;
    return chunk;
  }
  chunk.offset = static_cast<uint64_t>(offset);
  chunk.bytes = static_cast<uint64_t>(bytes);
  return chunk;
}

ParquetRowGroup read_group(ThriftReader& in) {
  ParquetRowGroup group;
  read_struct(in, [&](ThriftReader::Field field) {
    if (field.id == 1 && field.kind == Kind::list) {
      ThriftReader::List columns = in.list();
      for (uint32_t i = 0; i < columns.count && !in.failed(); ++i) {
        ParquetChunk chunk{.values = -1};
        read_struct(in, [&](ThriftReader::Field inner) {
          if (inner.id != 3 || inner.kind != Kind::structure) return false;
          chunk = read_chunk_facts(in);
          return true;
        });
        group.chunks.push_back(chunk);
      }
      return true;
    }
    if (field.id != 3 || !is_integer(field.kind)) return false;
    group.rows = in.integer();
    return true;
  });
  return group;
}

// The schema comes as the tree's nodes, each before its children.
class LeafCollector {
 public:
  explicit LeafCollector(const std::vector<Element>& elements) : elements_(elements) {}

  Result<std::vector<ParquetLeaf>> collect() {
    if (elements_.empty()) return damaged("it has no schema");
    Status done = children_of(elements_[next_++]);
    if (!done) return done.error();
    if (next_ != elements_.size()) return damaged("its schema has loose ends");
    return std::move(leaves_);
  }

 private:
  Status children_of(const Element& parent) {
    for (int64_t i = 0; i < parent.children; ++i) {
      if (Status done = node(); !done) return done;
    }
    return {};
  }

  Status node() {
    if (next_ == elements_.size()) return damaged("its schema ends early");
    const Element& element = elements_[next_++];
    if (path_.path.size() == parquet_depth_max) return damaged("its schema is too deep");
    ParquetLeaf outer = path_;
    path_.path.push_back(element.name);
    path_.field_ids.push_back(element.field_id);
    if (element.repetition != 0) ++path_.definition_max;
    if (element.repetition == 2) ++path_.repetition_max;
    Status done;
    if (element.children > 0) {
      done = children_of(element);
    } else if (element.type < 0 || element.type > 7 || element.repetition < 0 ||
               element.repetition > 2 || leaves_.size() == parquet_columns_max) {
      done = damaged("a column has no type that there is");
    } else {
      path_.type = static_cast<ParquetType>(element.type);
      leaves_.push_back(path_);
    }
    path_ = std::move(outer);
    return done;
  }

  const std::vector<Element>& elements_;
  size_t next_ = 0;
  ParquetLeaf path_;
  std::vector<ParquetLeaf> leaves_;
};

Result<ParquetFooter> parse_footer(std::string_view bytes) {
  ThriftReader in(bytes);
  ParquetFooter footer;
  std::vector<Element> elements;
  read_struct(in, [&](ThriftReader::Field field) {
    if (field.id == 2 && field.kind == Kind::list) {
      ThriftReader::List list = in.list();
      for (uint32_t i = 0; i < list.count && !in.failed(); ++i) {
        elements.push_back(read_element(in));
      }
      return true;
    }
    if (field.id == 4 && field.kind == Kind::list) {
      ThriftReader::List list = in.list();
      for (uint32_t i = 0; i < list.count && !in.failed(); ++i) {
        footer.groups.push_back(read_group(in));
      }
      return true;
    }
    if (field.id != 3 || !is_integer(field.kind)) return false;
    footer.rows = in.integer();
    return true;
  });
  if (in.failed()) return damaged("its footer is malformed");
  auto leaves = LeafCollector(elements).collect();
  if (!leaves) return leaves.error();
  footer.leaves = std::move(*leaves);
  return footer;
}

Status check(const ParquetFooter& footer, uint64_t size) {
  int64_t rows = 0;
  for (const ParquetRowGroup& group : footer.groups) {
    if (group.rows < 0 || group.rows > footer.rows - rows) return damaged("its rows do not add up");
    rows += group.rows;
    if (group.chunks.size() != footer.leaves.size()) return damaged("a row group lacks columns");
    for (const ParquetChunk& chunk : group.chunks) {
      bool good = chunk.values >= 0 && chunk.offset <= size && chunk.bytes <= size - chunk.offset;
      if (!good) return damaged("a column lies outside of it");
    }
  }
  return rows == footer.rows ? Status{} : damaged("its rows do not add up");
}

}  // namespace

Result<ParquetFooter> read_parquet_footer(io::File& file) {
  constexpr std::string_view magic = "PAR1";
  constexpr uint64_t tail_bytes = 8;
  auto size = file.size();
  if (!size) return size.error();
  if (*size < tail_bytes + magic.size()) return damaged("it is too short");
  char tail[tail_bytes];
  auto got = file.read_at(tail, *size - tail_bytes);
  if (!got) return got.error();
  if (*got != tail_bytes || std::string_view(tail + 4, 4) != magic)
    return damaged("no PAR1 ends it");
  uint32_t bytes = 0;
  std::memcpy(&bytes, tail, sizeof bytes);
  if (bytes > parquet_footer_bytes_max || bytes > *size - tail_bytes) {
    return damaged("its footer is longer than it may be");
  }
  std::string text(bytes, '\0');
  auto read = file.read_at(text, *size - tail_bytes - bytes);
  if (!read) return read.error();
  if (*read != bytes) return damaged("its footer is cut off");
  auto footer = parse_footer(text);
  if (!footer) return footer;
  if (Status good = check(*footer, *size); !good) return good.error();
  return footer;
}

}  // namespace pinpipe::lake
