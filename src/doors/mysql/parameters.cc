#include "doors/mysql/parameters.h"

#include <bit>
#include <fmt/format.h>

#include "doors/mysql/wire.h"

namespace pinpipe::mysql {
namespace {

constexpr uint16_t unsigned_flag = 0x8000;

template <class T>
Parameter integer_from(Decoder& in, bool is_unsigned) {
  auto raw = in.le<T>();
  int64_t value = is_unsigned ? static_cast<int64_t>(raw)
                              : static_cast<int64_t>(static_cast<std::make_signed_t<T>>(raw));
  return {.kind = Parameter::Kind::integer, .integer = value};
}

Parameter real_of(double value) {
  return {.kind = Parameter::Kind::real, .real = value};
}

Parameter text_of(std::string text) {
  return {.kind = Parameter::Kind::text, .text = std::move(text)};
}

Parameter date_from(Decoder& in) {
  auto size = in.le<uint8_t>();
  Decoder part(in.take(size));
  auto year = part.le<uint16_t>();
  auto month = part.le<uint8_t>();
  auto day = part.le<uint8_t>();
  std::string text = fmt::format("{:04}-{:02}-{:02}", year, month, day);
  if (size > 4) {
    auto hour = part.le<uint8_t>();
    auto minute = part.le<uint8_t>();
    auto second = part.le<uint8_t>();
    text += fmt::format(" {:02}:{:02}:{:02}", hour, minute, second);
  }
  return text_of(std::move(text));
}

Parameter time_from(Decoder& in) {
  Decoder part(in.take(in.le<uint8_t>()));
  bool negative = part.le<uint8_t>() != 0;
  uint64_t days = part.le<uint32_t>();
  uint64_t hours = part.le<uint8_t>();
  auto minute = part.le<uint8_t>();
  auto second = part.le<uint8_t>();
  return text_of(
      fmt::format("{}{:02}:{:02}:{:02}", negative ? "-" : "", days * 24 + hours, minute, second));
}

bool is_text(uint8_t type) {
  return type == 0 || type == 15 || type == 16 || type == 245 || type == 246 ||
         (type >= 249 && type <= 254);
}

Result<Parameter> value_from(Decoder& in, uint16_t type) {
  bool is_unsigned = (type & unsigned_flag) != 0;
  auto kind = static_cast<uint8_t>(type);
  switch (kind) {
    case 1:
      return integer_from<uint8_t>(in, is_unsigned);
    case 2:
    case 13:
      return integer_from<uint16_t>(in, is_unsigned);
    case 3:
    case 9:
      return integer_from<uint32_t>(in, is_unsigned);
    case 8:
      return integer_from<uint64_t>(in, is_unsigned);
    case 4:
      return real_of(std::bit_cast<float>(in.le<uint32_t>()));
    case 5:
      return real_of(std::bit_cast<double>(in.le<uint64_t>()));
    case 6:
      return Parameter{};
    case 7:
    case 10:
    case 12:
      return date_from(in);
    case 11:
      return time_from(in);
    default:
      if (is_text(kind)) return text_of(std::string(in.text()));
      return Error(Code::invalid, fmt::format("a parameter of type {}", kind));
  }
}

}  // namespace

Result<std::vector<Parameter>> read_parameters(std::string_view bytes, size_t count,
                                               ParameterState& state) {
  std::vector<Parameter> values;
  if (count == 0) return values;
  Decoder in(bytes);
  std::string_view nulls = in.take((count + 7) / 8);
  if (in.le<uint8_t>() == 1) {
    // Two bytes each: a count that the bytes do not bear out takes no memory.
    if (in.remaining() < count * 2) return Error(Code::invalid, "too few parameter types");
    state.types.clear();
    for (size_t i = 0; i < count; ++i) state.types.push_back(in.le<uint16_t>());
  }
  if (in.failed() || state.types.size() != count)
    return Error(Code::invalid, "parameters without their types");
  for (size_t i = 0; i < count; ++i) {
    if (auto sent = state.long_data.find(static_cast<uint16_t>(i)); sent != state.long_data.end()) {
      values.push_back(text_of(sent->second));
      continue;
    }
    if ((static_cast<uint8_t>(nulls[i / 8]) >> (i % 8) & 1) != 0) {
      values.emplace_back();
      continue;
    }
    auto value = value_from(in, state.types[i]);
    if (!value) return value.error();
    values.push_back(std::move(*value));
  }
  if (in.failed()) return Error(Code::invalid, "the parameters end too soon");
  return values;
}

}  // namespace pinpipe::mysql
