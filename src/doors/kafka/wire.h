// Kafka's types on the wire, in the old and in the flexible (compact) encoding.
// A Decoder never reads past its end and never believes a count that its bytes could not hold: the
// first malformed field marks it failed, later fields are zero and empty.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "log/partition_log.h"

namespace pinpipe::kafka {

class Decoder {
 public:
  Decoder(std::string_view bytes, bool flexible) : reader_(bytes), flexible_(flexible) {}

  template <std::integral T>
  T number() {
    return reader_.be<T>();
  }
  bool boolean() { return reader_.be<int8_t>() != 0; }
  std::string_view text() { return maybe_text().value_or(std::string_view()); }
  std::optional<std::string_view> maybe_text();
  // Nothing for null.
  std::optional<std::string_view> maybe_bytes();
  Uuid uuid();
  // The number of elements; nothing for null.
  std::optional<size_t> maybe_count();
  size_t count() { return maybe_count().value_or(0); }
  // Ends a structure: skips tagged fields, which only the flexible encoding has.
  void tags();

  // Calls `element(*this)` for each element of an array, until it is malformed.
  template <class F>
  void each(F element) {
    size_t elements = count();
    for (size_t i = 0; i < elements && !failed(); ++i) element();
  }
  std::vector<int32_t> numbers32();

  bool failed() const { return reader_.failed(); }
  void mark_failed() { reader_.mark_failed(); }
  size_t remaining() const { return reader_.remaining(); }

 private:
  Reader reader_;
  bool flexible_;
};

// What is sent next: bytes, or a part of a file.
struct Piece {
  std::string_view bytes = {};
  const log::FileRange* file = nullptr;
};

// Collects a response. Record bytes read from the log are attached, not copied.
class Encoder {
 public:
  explicit Encoder(bool flexible) : flexible_(flexible) {}

  template <std::integral T>
  void number(T value) {
    append_be(bytes_, value);
  }
  void boolean(bool value) { bytes_.push_back(value ? '\1' : '\0'); }
  void text(std::string_view value);
  void maybe_text(std::optional<std::string_view> value);
  void bytes(std::string_view value);
  void records(log::Slice slice);
  void uuid(const Uuid& id);
  void count(size_t elements);
  void null_array();
  void tags() {
    if (flexible_) bytes_.push_back('\0');
  }
  void numbers32(const std::vector<int32_t>& values);

  size_t size_bytes() const { return bytes_.size() + attached_bytes_; }
  // The response in order; valid while this object lives and nothing is added.
  void pieces(std::vector<Piece>& into) const;

 private:
  struct Attached {
    size_t at;
    log::Slice slice;
  };

  std::string bytes_;
  std::vector<Attached> attached_;
  size_t attached_bytes_ = 0;
  bool flexible_;
};

}  // namespace pinpipe::kafka
