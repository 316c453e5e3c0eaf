// Thrift's compact protocol as Parquet's footers and page headers use it: a cursor over bytes.
// Promise: nothing is read past the end; the first malformed value marks the reader failed, and
// everything after it is zero. Bounds: nesting_max levels of structs and lists when skipping.
#pragma once

#include <cstdint>
#include <string_view>

namespace pinpipe::lake {

class ThriftReader {
 public:
  static constexpr int nesting_max = 32;

  explicit ThriftReader(std::string_view bytes) : begin_(bytes), rest_(bytes) {}

  enum class Kind : uint8_t {
    stop = 0,
    yes = 1,
    no = 2,
    byte = 3,
    int16 = 4,
    int32 = 5,
    int64 = 6,
    real = 7,
    binary = 8,
    list = 9,
    set = 10,
    map = 11,
    structure = 12,
  };
  struct Field {
    int id = 0;
    Kind kind = Kind::stop;  // stop: the struct ends here
  };
  struct List {
    Kind kind = Kind::stop;
    uint32_t count = 0;  // never more than there are bytes left
  };

  // The next field of a struct whose former field had the number `last`.
  Field field(int last);
  int64_t integer();
  bool flag(Field field) const { return field.kind == Kind::yes; }
  std::string_view binary();
  List list();
  void skip(Kind kind, int depth = 0);

  bool failed() const { return failed_; }
  size_t consumed() const { return begin_.size() - rest_.size(); }

 private:
  uint8_t byte();
  uint64_t varint();
  void fail();

  std::string_view begin_;
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace pinpipe::lake
