// How requests and answers are written: JSON 1.1, as most SDKs have it, or CBOR 1.1, the Java
// SDKs'. Both carry the same members. Blobs are base64 in JSON and bytes in CBOR; times are seconds
// with a fraction in JSON and tagged milliseconds in CBOR.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codec/cbor.h"
#include "codec/json.h"
#include "doors/kinesis/failure.h"
#include "doors/kinesis/members.h"

namespace pinpipe::kinesis {

inline constexpr std::string_view json_type = "application/x-amz-json-1.1";
inline constexpr std::string_view cbor_type = "application/x-amz-cbor-1.1";

// Writes one answer in the form of its request. The caller keeps begin and end balanced.
class AnswerWriter {
 public:
  AnswerWriter(Form form, std::string& out)
      : is_cbor_(form == Form::cbor), json_(out), cbor_(out) {}

  AnswerWriter& begin_object();
  AnswerWriter& end_object();
  AnswerWriter& begin_array();
  AnswerWriter& end_array();
  AnswerWriter& key(std::string_view name);
  AnswerWriter& value(std::string_view text);
  AnswerWriter& value(const std::string& text) { return value(std::string_view(text)); }
  AnswerWriter& value(const char* text) { return value(std::string_view(text)); }
  AnswerWriter& value(bool flag);
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  AnswerWriter& value(T number) {
    return integer(static_cast<int64_t>(number));
  }
  AnswerWriter& time(int64_t time_ms);
  AnswerWriter& whole_seconds(int64_t time_ms);
  AnswerWriter& blob(std::string_view bytes);
  template <class T>
  AnswerWriter& field(std::string_view name, const T& v) {
    return key(name).value(v);
  }

 private:
  AnswerWriter& integer(int64_t number);

  bool is_cbor_;
  codec::JsonWriter json_;
  codec::CborWriter cbor_;
};

// A request's members as JSON values. Those of CBOR are looked up in `members`: their blobs become
// texts of the bytes themselves and their times numbers of seconds. Nothing when it does not parse.
std::optional<codec::Json> parse_request(std::string_view body, Form form,
                                         std::span<const Member> members);
bool parses(std::string_view body, Form form);

// The bytes of a blob that check_members() has passed: of the request itself, or at the end of
// `decoded`, which has room for what blob_size_max() says and so does not move.
std::string_view blob_of(const codec::Json& value, Form form, std::string& decoded);
size_t blob_size_max(const codec::Json& value, Form form);

}  // namespace pinpipe::kinesis
