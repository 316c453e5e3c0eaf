#include "codec/event_stream.h"

#include <zlib.h>

#include "base/bytes.h"
#include "base/check.h"

namespace pinpipe::codec {
namespace {

constexpr size_t prelude_bytes = 12;
constexpr size_t frame_bytes = prelude_bytes + 4;
constexpr uint8_t text_type = 7;

uint32_t sum_of(std::string_view bytes) {
  return static_cast<uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

Error broken(std::string_view what) {
  return Error(Code::invalid, "not an event-stream message: " + std::string(what));
}

}  // namespace

void append_event(std::string& out, const EventMessage& message) {
  std::string headers;
  for (const auto& [name, value] : message.headers) {
    CHECK(name.size() <= UINT8_MAX && value.size() <= UINT16_MAX, "a header fits its lengths");
    append_be(headers, static_cast<uint8_t>(name.size()));
    headers += name;
    append_be(headers, text_type);
    append_be(headers, static_cast<uint16_t>(value.size()));
    headers += value;
  }
  const size_t size = frame_bytes + headers.size() + message.payload.size();
  CHECK(size <= event_bytes_max, "a message is bounded");
  const size_t begin = out.size();
  out.reserve(begin + size);
  append_be(out, static_cast<uint32_t>(size));
  append_be(out, static_cast<uint32_t>(headers.size()));
  append_be(out, sum_of(std::string_view(out).substr(begin)));
  out += headers;
  out += message.payload;
  append_be(out, sum_of(std::string_view(out).substr(begin)));
}

Result<EventRead> read_event(std::string_view bytes) {
  if (bytes.size() < prelude_bytes) return EventRead{std::nullopt, bytes};
  Reader prelude(bytes.substr(0, prelude_bytes));
  const auto size = prelude.be<uint32_t>();
  const auto headers_size = prelude.be<uint32_t>();
  if (prelude.be<uint32_t>() != sum_of(bytes.substr(0, 8))) return broken("the sum of its lengths");
  if (size > event_bytes_max || size < frame_bytes || headers_size > size - frame_bytes)
    return broken("its lengths");
  if (bytes.size() < size) return EventRead{std::nullopt, bytes};
  Reader end(bytes.substr(size - 4, 4));
  if (end.be<uint32_t>() != sum_of(bytes.substr(0, size - 4))) return broken("its sum");
  EventMessage message;
  Reader headers(bytes.substr(prelude_bytes, headers_size));
  while (headers.remaining() > 0) {
    std::string_view name = headers.take(headers.be<uint8_t>());
    if (headers.be<uint8_t>() != text_type) return broken("a header that is no text");
    std::string_view value = headers.take(headers.be<uint16_t>());
    if (headers.failed()) return broken("a header that is cut off");
    message.headers.emplace_back(name, value);
  }
  const size_t payload_at = prelude_bytes + headers_size;
  message.payload = bytes.substr(payload_at, size - 4 - payload_at);
  return EventRead{std::move(message), bytes.substr(size)};
}

}  // namespace pinpipe::codec
