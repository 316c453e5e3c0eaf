#include "lake/thrift.h"

#include <algorithm>

namespace pinpipe::lake {

void ThriftReader::fail() {
  failed_ = true;
  rest_ = {};
}

uint8_t ThriftReader::byte() {
  if (rest_.empty()) {
    fail();
    return 0;
  }
  auto value = static_cast<uint8_t>(rest_[0]);
  rest_.remove_prefix(1);
  return value;
}

uint64_t ThriftReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    uint8_t next = byte();
    value |= static_cast<uint64_t>(next & 0x7F) << shift;
    if ((next & 0x80) == 0) return value;
  }
  fail();
  return 0;
}

int64_t ThriftReader::integer() {
  uint64_t raw = varint();
  return static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1);
}

ThriftReader::Field ThriftReader::field(int last) {
  uint8_t head = byte();
  auto kind = static_cast<Kind>(head & 0x0F);
  if (failed_ || kind == Kind::stop) return {};
  int delta = head >> 4;
  int64_t id = delta != 0 ? last + delta : integer();
  if (id < 0 || id > INT16_MAX || kind > Kind::structure) {
    fail();
    return {};
  }
  return {.id = static_cast<int>(id), .kind = kind};
}

std::string_view ThriftReader::binary() {
  uint64_t size = varint();
  if (size > rest_.size()) {
    fail();
    return {};
  }
  std::string_view value = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return value;
}

ThriftReader::List ThriftReader::list() {
  uint8_t head = byte();
  uint64_t count = head >> 4;
  if (count == 15) count = varint();
  // Every element takes a byte at least: a larger count is a lie.
  if (count > rest_.size()) {
    fail();
    return {};
  }
  return {.kind = static_cast<Kind>(head & 0x0F), .count = static_cast<uint32_t>(count)};
}

void ThriftReader::skip(Kind kind, int depth) {
  if (depth > nesting_max) return fail();
  switch (kind) {
    case Kind::yes:
    case Kind::no:
      return;
    case Kind::byte:
      (void)byte();
      return;
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
      (void)varint();
      return;
    case Kind::real:
      if (rest_.size() < 8) return fail();
      rest_.remove_prefix(8);
      return;
    case Kind::binary:
      (void)binary();
      return;
    case Kind::list:
    case Kind::set: {
      List all = list();
      // In a list, truth values are bytes of their own.
      bool truths = all.kind == Kind::yes || all.kind == Kind::no;
      for (uint32_t i = 0; i < all.count && !failed_; ++i) {
        skip(truths ? Kind::byte : all.kind, depth + 1);
      }
      return;
    }
    case Kind::map: {
      uint64_t count = varint();
      if (count > rest_.size()) return fail();
      uint8_t kinds = count == 0 ? 0 : byte();
      for (uint64_t i = 0; i < count && !failed_; ++i) {
        skip(static_cast<Kind>(kinds >> 4), depth + 1);
        skip(static_cast<Kind>(kinds & 0x0F), depth + 1);
      }
      return;
    }
    case Kind::structure: {
      int last = 0;
      for (Field next = field(0); next.kind != Kind::stop && !failed_; next = field(last)) {
        skip(next.kind, depth + 1);
        last = next.id;
      }
      return;
    }
    case Kind::stop:
      break;
  }
  fail();
}

}  // namespace pinpipe::lake
