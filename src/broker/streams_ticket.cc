#include "broker/streams_ticket.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"

namespace pinpipe::broker {
namespace {

constexpr uint64_t version = 1;
constexpr size_t mac_from = 8;
constexpr size_t body_from = 40;
constexpr size_t total_least = 152;
constexpr size_t total_step = 16;
constexpr size_t text_bytes_max = 1024;

std::string mac_of(std::string_view bytes, std::string_view key) {
  std::string covered(bytes.substr(0, mac_from));
  covered.append(bytes.substr(body_from));
  return hmac_sha256(key, covered);
}

}  // namespace

std::string seal(const Ticket& ticket, std::string_view key) {
  std::string bytes;
  append_be(bytes, version);
  bytes.append(body_from - mac_from, '\0');
  append_be(bytes, static_cast<uint8_t>(ticket.kind));
  append_be(bytes, ticket.issued_ms);
  bytes.append(reinterpret_cast<const char*>(ticket.stream_id.bytes.data()),
               ticket.stream_id.bytes.size());
  append_be(bytes, ticket.shard);
  append_be(bytes, ticket.position);
  append_be(bytes, ticket.detail);
  append_be(bytes, static_cast<uint16_t>(ticket.name.size()));
  bytes.append(ticket.name);
  size_t total = total_least;
  while (total < bytes.size()) total += total_step;
  bytes.resize(total, '\0');
  bytes.replace(mac_from, body_from - mac_from, mac_of(bytes, key));
  return to_base64(bytes);
}

std::optional<Ticket> read_ticket(std::string_view text, std::string_view key) {
  if (text.size() > text_bytes_max) return std::nullopt;
  auto bytes = from_base64(text);
  if (!bytes || bytes->size() < total_least || (bytes->size() - total_least) % total_step != 0)
    return std::nullopt;
  if (to_base64(*bytes) != text || load_be<uint64_t>(bytes->data()) != version) return std::nullopt;
  std::string_view mac = std::string_view(*bytes).substr(mac_from, body_from - mac_from);
  if (!equal_constant_time(mac, mac_of(*bytes, key))) return std::nullopt;
  Reader reader(std::string_view(*bytes).substr(body_from));
  Ticket ticket;
  ticket.kind = static_cast<Ticket::Kind>(reader.be<uint8_t>());
  ticket.issued_ms = reader.be<int64_t>();
  std::string_view id = reader.take(16);
  ticket.shard = reader.be<int32_t>();
  ticket.position = reader.be<int64_t>();
  ticket.detail = reader.be<uint8_t>();
  ticket.name = reader.take(reader.be<uint16_t>());
  if (reader.failed()) return std::nullopt;
  std::ranges::copy(id, ticket.stream_id.bytes.begin());
  return ticket;
}

}  // namespace pinpipe::broker
