#include "app/operation.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace pinpipe::app {
namespace {

using codec::Json;

bool fits(const Parameter& parameter, const Json& value) {
  switch (parameter.kind) {
    case Parameter::Kind::text:
    case Parameter::Kind::file:
      return value.is_string();
    case Parameter::Kind::texts:
      return value.is_array() && std::ranges::all_of(value.elements(), &Json::is_string);
    case Parameter::Kind::integer:
      return value.as_int().has_value();
    case Parameter::Kind::flag:
      return value.is_bool();
  }
  return false;
}

Json fallback_of(const Parameter& parameter) {
  switch (parameter.kind) {
    case Parameter::Kind::text:
    case Parameter::Kind::file:
      return Json(parameter.fallback);
    case Parameter::Kind::texts:
      return Json::array();
    case Parameter::Kind::integer: {
      int64_t number = 0;
      std::from_chars(parameter.fallback.data(),
                      parameter.fallback.data() + parameter.fallback.size(), number);
      return {number};
    }
    case Parameter::Kind::flag:
      return {false};
  }
  return {};
}

}  // namespace

Result<Json> checked_arguments(const std::vector<Parameter>& parameters, Json given) {
  for (const codec::JsonMember& member : given.members()) {
    auto at = std::ranges::find(parameters, member.key, &Parameter::name);
    if (at == parameters.end())
      return Error(Code::invalid, fmt::format("there is no argument \"{}\" here", member.key));
    if (!fits(*at, member.value)) {
      return Error(Code::invalid, fmt::format("argument \"{}\" cannot be a {}", member.key,
                                              member.value.type_name()));
    }
  }
  for (const Parameter& parameter : parameters) {
    if (given.find(parameter.name) != nullptr) continue;
    if (parameter.required)
      return Error(Code::invalid, fmt::format("argument \"{}\" is missing", parameter.name));
    given.set(parameter.name, fallback_of(parameter));
  }
  return given;
}

std::string text_argument(const Json& arguments, std::string_view name) {
  return std::string(arguments[name].as_string().value_or(""));
}

std::vector<std::string> texts_argument(const Json& arguments, std::string_view name) {
  std::vector<std::string> texts;
  for (const Json& text : arguments[name].elements())
    texts.emplace_back(text.as_string().value_or(""));
  return texts;
}

int64_t integer_argument(const Json& arguments, std::string_view name) {
  return arguments[name].as_int().value_or(0);
}

bool flag_argument(const Json& arguments, std::string_view name) {
  return arguments[name].as_bool().value_or(false);
}

}  // namespace pinpipe::app
