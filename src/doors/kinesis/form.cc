#include "doors/kinesis/form.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"

namespace pinpipe::kinesis {
namespace {

using codec::Cbor;
using codec::Json;

Json json_of(const Cbor& value, const Member& member);

Json object_of(const Cbor& value, std::span<const Member> members) {
  Json object = Json::object();
  for (const codec::CborMember& given : value.members()) {
    auto known = std::ranges::find(members, given.key, &Member::name);
    if (known != members.end()) object.set(given.key, json_of(given.value, *known));
  }
  return object;
}

Json list_of(const Cbor& value, const Member* element) {
  Json::Array list;
  list.reserve(value.elements().size());
  for (const Cbor& one : value.elements())
    list.push_back(element != nullptr ? json_of(one, *element) : Json());
  return list;
}

Json map_of(const Cbor& value, const Member& element) {
  Json::Object map;
  for (const codec::CborMember& one : value.members())
    map.push_back({one.key, json_of(one.value, element)});
  return map;
}

// What has another type than the member keeps its own, for check_members() to refuse; bytes where
// none belong and text where bytes do become what no member is: a list and a boolean.
Json json_of(const Cbor& value, const Member& member) {
  if (value.is_array()) return list_of(value, member.element);
  if (value.is_map()) {
    if (member.type == Type::map) return map_of(value, *member.element);
    return object_of(value, member.members);
  }
  if (auto bytes = value.as_bytes())
    return member.type == Type::blob ? Json(*bytes) : Json(Json::Array{});
  if (auto text = value.as_string()) return member.type == Type::blob ? Json(true) : Json(*text);
  if (auto time = value.as_time()) return {static_cast<double>(time->value) / 1000};
  if (auto flag = value.as_bool()) return {*flag};
  if (auto number = value.as_int()) return {*number};
  if (auto number = value.as_double()) return {*number};
  return {};
}

}  // namespace

AnswerWriter& AnswerWriter::begin_object() {
  if (is_cbor_)
    cbor_.begin_map();
  else
    json_.begin_object();
  return *this;
}
AnswerWriter& AnswerWriter::end_object() {
  if (is_cbor_)
    cbor_.end();
  else
    json_.end_object();
  return *this;
}
AnswerWriter& AnswerWriter::begin_array() {
  if (is_cbor_)
    cbor_.begin_array();
  else
    json_.begin_array();
  return *this;
}
AnswerWriter& AnswerWriter::end_array() {
  if (is_cbor_)
    cbor_.end();
  else
    json_.end_array();
  return *this;
}
AnswerWriter& AnswerWriter::key(std::string_view name) {
  if (is_cbor_)
    cbor_.text(name);
  else
    json_.key(name);
  return *this;
}
AnswerWriter& AnswerWriter::value(std::string_view text) {
  if (is_cbor_)
    cbor_.text(text);
  else
    json_.value(text);
  return *this;
}
AnswerWriter& AnswerWriter::value(bool flag) {
  if (is_cbor_)
    cbor_.boolean(flag);
  else
    json_.value(flag);
  return *this;
}
AnswerWriter& AnswerWriter::integer(int64_t number) {
  if (is_cbor_)
    cbor_.integer(number);
  else
    json_.value(number);
  return *this;
}
AnswerWriter& AnswerWriter::time(int64_t time_ms) {
  time_ms = std::max<int64_t>(time_ms, 0);
  if (is_cbor_)
    cbor_.time(time_ms);
  else
    json_.raw(fmt::format("{}.{:03}", time_ms / 1000, time_ms % 1000));
  return *this;
}
AnswerWriter& AnswerWriter::whole_seconds(int64_t time_ms) {
  if (is_cbor_)
    cbor_.time(time_ms / 1000 * 1000);
  else
    json_.value(time_ms / 1000);
  return *this;
}
AnswerWriter& AnswerWriter::blob(std::string_view bytes) {
  // Base64 needs no escapes.
  if (is_cbor_)
    cbor_.bytes(bytes);
  else
    json_.raw('"' + to_base64(bytes) + '"');
  return *this;
}

std::optional<Json> parse_request(std::string_view body, Form form,
                                  std::span<const Member> members) {
  if (form == Form::json) {
    auto given = codec::parse_json(body);
    if (!given || (!given->is_object() && !given->is_array())) return std::nullopt;
    return std::move(*given);
  }
  auto given = codec::parse_cbor(body);
  if (!given || !given->is_map()) return std::nullopt;
  return object_of(*given, members);
}

bool parses(std::string_view body, Form form) {
  return form == Form::json ? codec::parse_json(body).has_value()
                            : codec::parse_cbor(body).has_value();
}

std::string_view blob_of(const Json& value, Form form, std::string& decoded) {
  if (form == Form::cbor) return *value.as_string();
  CHECK(decoded.capacity() - decoded.size() >= blob_size_max(value, form), "there is room for it");
  const size_t begin = decoded.size();
  CHECK(append_from_base64(decoded, *value.as_string()), "its base64 was checked");
  return std::string_view(decoded).substr(begin);
}

size_t blob_size_max(const Json& value, Form form) {
  return form == Form::cbor ? 0 : value.as_string()->size() / 4 * 3;
}

}  // namespace pinpipe::kinesis
