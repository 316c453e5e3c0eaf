#include "doors/kafka/wire.h"

#include <algorithm>

namespace pinpipe::kafka {

std::optional<std::string_view> Decoder::maybe_text() {
  int64_t size = flexible_ ? static_cast<int64_t>(reader_.uvarint()) - 1 : reader_.be<int16_t>();
  if (size == -1 && !reader_.failed()) return std::nullopt;
  return reader_.take(size);
}

std::optional<std::string_view> Decoder::maybe_bytes() {
  int64_t size = flexible_ ? static_cast<int64_t>(reader_.uvarint()) - 1 : reader_.be<int32_t>();
  if (size == -1 && !reader_.failed()) return std::nullopt;
  return reader_.take(size);
}

Uuid Decoder::uuid() {
  Uuid id;
  std::string_view bytes = reader_.take(static_cast<int64_t>(id.bytes.size()));
  if (!reader_.failed()) std::copy(bytes.begin(), bytes.end(), id.bytes.begin());
  return id;
}

std::optional<size_t> Decoder::maybe_count() {
  int64_t size = flexible_ ? static_cast<int64_t>(reader_.uvarint()) - 1 : reader_.be<int32_t>();
  if (size == -1 && !reader_.failed()) return std::nullopt;
  // An element takes at least a byte: a larger count lies.
  if (size < 0 || static_cast<uint64_t>(size) > reader_.remaining()) {
    reader_.mark_failed();
    return 0;
  }
  return static_cast<size_t>(size);
}

void Decoder::tags() {
  if (!flexible_) return;
  uint64_t fields = reader_.uvarint();
  for (uint64_t i = 0; i < fields && !reader_.failed(); ++i) {
    reader_.uvarint();
    reader_.take(static_cast<int64_t>(reader_.uvarint()));
  }
}

std::vector<int32_t> Decoder::numbers32() {
  std::vector<int32_t> values;
  each([&] { values.push_back(number<int32_t>()); });
  return values;
}

void Encoder::text(std::string_view value) {
  maybe_text(value);
}

void Encoder::maybe_text(std::optional<std::string_view> value) {
  if (flexible_)
    append_uvarint(bytes_, value ? value->size() + 1 : 0);
  else
    append_be(bytes_, static_cast<int16_t>(value ? static_cast<int16_t>(value->size()) : -1));
  if (value) bytes_.append(*value);
}

void Encoder::bytes(std::string_view value) {
  count(value.size());
  bytes_.append(value);
}

void Encoder::records(log::Slice slice) {
  size_t size = slice.size_bytes();
  count(size);  // bytes and arrays say their size alike
  if (size == 0) return;
  attached_bytes_ += size;
  attached_.push_back({bytes_.size(), std::move(slice)});
}

void Encoder::uuid(const Uuid& id) {
  bytes_.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
}

void Encoder::count(size_t elements) {
  if (flexible_)
    append_uvarint(bytes_, elements + 1);
  else
    append_be(bytes_, static_cast<int32_t>(elements));
}

void Encoder::null_array() {
  if (flexible_)
    append_uvarint(bytes_, 0);
  else
    append_be(bytes_, int32_t{-1});
}

void Encoder::numbers32(const std::vector<int32_t>& values) {
  count(values.size());
  for (int32_t value : values) number(value);
}

void Encoder::pieces(std::vector<Piece>& into) const {
  std::string_view rest = bytes_;
  size_t from = 0;
  for (const Attached& attached : attached_) {
    into.push_back({.bytes = rest.substr(from, attached.at - from)});
    if (attached.slice.stored.file)
      into.push_back({.file = &attached.slice.stored});
    else
      into.push_back({.bytes = attached.slice.bytes()});
    from = attached.at;
  }
  into.push_back({.bytes = rest.substr(from)});
}

}  // namespace pinpipe::kafka
