// What members an action's input may have, as tables, and checking a request against one: first all
// types (SerializationException), then all constraints together (ValidationException), as AWS does.
// Unknown members and nulls are ignored. Bounds: problems_max are named.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "codec/json.h"
#include "doors/kinesis/failure.h"

namespace pinpipe::kinesis {

inline constexpr size_t problems_max = 10;

// How a request is written: it decides what a blob is, see form.h.
enum class Form : uint8_t { json, cbor };

enum class Type { text, integer, boolean, blob, time, list, map, structure };

struct Pattern {
  std::string_view text;  // as AWS prints it
  bool (*matches)(std::string_view);
};

struct Member {
  std::string_view name;
  Type type = Type::text;
  bool required = false;
  std::string_view unless{};  // not required when this one is there
  const Pattern* pattern = nullptr;
  std::optional<int64_t> least{};  // the value of a number, the length of everything else
  std::optional<int64_t> most{};
  std::span<const std::string_view> words{};  // the values of an enumeration
  std::span<const Member> members{};          // of a structure
  const Member* element = nullptr;            // of a list or map
  std::string_view element_class{};           // how AWS prints a structure in a list
};

std::optional<Failure> check_members(const codec::Json& given, std::span<const Member> members,
                                     Form form = Form::json);

// "N validation errors detected: …" for one value.
std::string validation_text(std::string_view value, std::string_view path,
                            std::string_view constraint);
// As AWS prints a blob.
std::string blob_text(size_t size);

extern const Pattern name_pattern;      // of streams and shards
extern const Pattern sequence_pattern;  // of sequence numbers
extern const Pattern hash_key_pattern;
extern const Pattern stream_arn_pattern;
extern const Pattern consumer_arn_pattern;

// The members that name a stream.
inline constexpr Member stream_name_member{.name = "StreamName",
                                           .required = true,
                                           .unless = "StreamARN",
                                           .pattern = &name_pattern,
                                           .least = 1,
                                           .most = 128};
inline constexpr Member stream_arn_member{
    .name = "StreamARN", .pattern = &stream_arn_pattern, .least = 1, .most = 2048};

}  // namespace pinpipe::kinesis
