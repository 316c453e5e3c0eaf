#include "scheduler/python_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "base/clock.h"

namespace pinpipe::scheduler {
namespace {

using Kind = Value::Kind;

constexpr int64_t number_max = int64_t{1} << 52;  // sums of such numbers do not overflow

Value unknown(std::string what, int line) {
  return {.kind = Kind::unknown, .text = std::move(what), .line = line};
}

bool is_utc(const Value& value) {
  return value.kind == Kind::symbol && (value.text == "utc" || value.text == "UTC");
}

std::optional<double> as_number(const Value& value) {
  if (value.kind == Kind::integer) return static_cast<double>(value.number);
  if (value.kind == Kind::real) return value.real;
  return std::nullopt;
}

// timedelta(days, seconds, microseconds, milliseconds, minutes, hours, weeks)
std::optional<Value> make_span(const Arguments& arguments, int line) {
  constexpr std::array<std::pair<std::string_view, double>, 7> units{{{"days", 86'400'000.0},
                                                                      {"seconds", 1000.0},
                                                                      {"microseconds", 0.001},
                                                                      {"milliseconds", 1.0},
                                                                      {"minutes", 60'000.0},
                                                                      {"hours", 3'600'000.0},
                                                                      {"weeks", 604'800'000.0}}};
  double ms = 0;
  if (arguments.by_position.size() > units.size()) return std::nullopt;
  for (size_t i = 0; i < arguments.by_position.size(); ++i) {
    auto number = as_number(arguments.by_position[i]);
    if (!number) return std::nullopt;
    ms += *number * units[i].second;
  }
  for (const auto& [name, value] : arguments.by_name) {
    auto unit = std::ranges::find(units, name, [](const auto& u) { return u.first; });
    auto number = as_number(value);
    if (unit == units.end() || !number) return std::nullopt;
    ms += *number * unit->second;
  }
  if (!(std::abs(ms) < static_cast<double>(number_max))) return std::nullopt;
  return Value{.kind = Kind::span, .number = std::llround(ms), .line = line};
}

std::optional<std::string> zone_of(const Value& value) {
  if (is_utc(value)) return "UTC";
  if (value.kind == Kind::zone || value.kind == Kind::text) return value.text;
  return std::nullopt;
}

// datetime(year, month, day, hour, minute, second, microsecond, tzinfo)
std::optional<Value> make_moment(const Arguments& arguments, int line) {
  constexpr std::array<std::string_view, 7> names = {"year",   "month",  "day",        "hour",
                                                     "minute", "second", "microsecond"};
  std::array<int64_t, 7> parts{0, 1, 1, 0, 0, 0, 0};
  Value moment{.kind = Kind::moment, .line = line};
  if (arguments.by_position.size() > 8) return std::nullopt;
  for (size_t i = 0; i < arguments.by_position.size(); ++i) {
    const Value& value = arguments.by_position[i];
    if (i == 7) {
      auto zone = zone_of(value);
      if (!zone) return std::nullopt;
      moment.zone = *zone;
    } else if (value.kind != Kind::integer) {
      return std::nullopt;
    } else {
      parts[i] = value.number;
    }
  }
  for (const auto& [name, value] : arguments.by_name) {
    auto part = std::ranges::find(names, name);
    if (part != names.end() && value.kind == Kind::integer) {
      parts[static_cast<size_t>(part - names.begin())] = value.number;
      continue;
    }
    auto zone = name == "tzinfo" || name == "tz" ? zone_of(value) : std::nullopt;
    if (!zone) return std::nullopt;
    moment.zone = *zone;
  }
  for (int64_t part : parts) {
    if (part < 0 || part > 999'999) return std::nullopt;
  }
  moment.number = parts[0];
  moment.text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts[0], parts[1], parts[2],
                            parts[3], parts[4], parts[5]);
  if (!from_rfc3339(moment.text + "Z")) return std::nullopt;
  return moment;
}

std::optional<Value> make_dict(const Arguments& arguments, int line) {
  Value dict{.kind = Kind::dict, .line = line};
  if (!arguments.by_position.empty()) {
    if (arguments.by_position.size() > 1 || arguments.by_position[0].kind != Kind::dict) return {};
    dict = arguments.by_position[0];
  }
  for (const auto& [name, value] : arguments.by_name) {
    dict.items.push_back({.kind = Kind::text, .text = name, .line = line});
    dict.items.push_back(value);
  }
  return dict;
}

std::optional<std::string> printed(const Value& value) {
  if (value.kind == Kind::text) return value.text;
  if (value.kind == Kind::integer) return std::to_string(value.number);
  return std::nullopt;
}

std::optional<Value> built_in(const std::string& callee, const Arguments& arguments, int line) {
  if (callee == "timedelta" || callee == "duration") return make_span(arguments, line);
  if (callee == "datetime") return make_moment(arguments, line);
  if (callee == "dict") return make_dict(arguments, line);
  bool one = arguments.by_position.size() == 1 && arguments.by_name.empty();
  if (!one) return std::nullopt;
  const Value& only = arguments.by_position.front();
  if (callee == "timezone" || callee == "ZoneInfo" || callee == "Timezone") {
    if (only.kind != Kind::text) return std::nullopt;
    return Value{.kind = Kind::zone, .text = only.text, .line = line};
  }
  if (callee == "str") {
    if (auto text = printed(only)) return Value{.kind = Kind::text, .text = *text, .line = line};
  }
  return std::nullopt;
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  if (kind != Kind::dict) return nullptr;
  for (size_t i = items.size(); i >= 2; i -= 2) {  // the last of a repeated key counts
    if (items[i - 2].kind == Kind::text && items[i - 2].text == key) return &items[i - 1];
  }
  return nullptr;
}

std::optional<codec::Json> Value::json() const {
  using codec::Json;
  switch (kind) {
    case Kind::none:
      return Json();
    case Kind::boolean:
      return Json(number != 0);
    case Kind::integer:
      return Json(number);
    case Kind::real:
      return Json(real);
    case Kind::text:
      return Json(text);
    case Kind::list: {
      Json list = Json::array();
      for (const Value& item : items) {
        auto json = item.json();
        if (!json) return std::nullopt;
        list.push(std::move(*json));
      }
      return list;
    }
    case Kind::dict: {
      Json object = Json::object();
      for (size_t i = 0; i + 1 < items.size(); i += 2) {
        auto json = items[i + 1].json();
        if (!json || items[i].kind != Kind::text) return std::nullopt;
        object.set(items[i].text, std::move(*json));
      }
      return object;
    }
    default:
      return std::nullopt;
  }
}

std::optional<Value> Arguments::take(std::string_view name) {
  auto found = std::ranges::find(by_name, name, [](const auto& one) { return one.first; });
  if (found == by_name.end()) return std::nullopt;
  Value value = std::move(found->second);
  by_name.erase(found);
  return value;
}

Value Evaluator::evaluate(const Expression& expression) {
  using Of = Expression::Kind;
  int line = expression.line;
  switch (expression.kind) {
    case Of::none:
      return {.kind = Kind::none, .line = line};
    case Of::boolean:
      return {.kind = Kind::boolean, .number = expression.text == "True", .line = line};
    case Of::integer: {
      int64_t number = 0;
      const std::string& digits = expression.text;
      std::from_chars(digits.data(), digits.data() + digits.size(), number);
      if (number > number_max) return unknown(digits, line);
      return {.kind = Kind::integer, .number = number, .line = line};
    }
    case Of::real: {
      double real = 0;
      const std::string& digits = expression.text;
      std::from_chars(digits.data(), digits.data() + digits.size(), real);
      return {.kind = Kind::real, .real = real, .line = line};
    }
    case Of::text:
      return {.kind = Kind::text, .text = expression.text, .line = line};
    case Of::formatted:
      return evaluate_format(expression);
    case Of::name: {
      auto known = variables.find(expression.text);
      if (known != variables.end()) return known->second;
      return {.kind = Kind::symbol, .text = expression.text, .line = line};
    }
    case Of::attribute: {
      Value owner = evaluate(expression.parts.front());
      bool plain = owner.kind == Kind::symbol;
      if (!plain) return unknown(described(expression), line);
      return {.kind = Kind::symbol, .text = expression.text, .line = line};
    }
    case Of::list:
    case Of::dict: {
      Value all{.kind = expression.kind == Of::list ? Kind::list : Kind::dict, .line = line};
      for (const Expression& part : expression.parts) all.items.push_back(evaluate(part));
      return all;
    }
    case Of::call:
      return evaluate_call(expression);
    case Of::binary:
      return evaluate_binary(expression);
    case Of::unary: {
      if (expression.parts.empty()) return unknown(expression.text, line);
      Value value = evaluate(expression.parts.front());
      bool number = value.kind == Kind::integer || value.kind == Kind::span;
      if (expression.text == "-" && number) {
        value.number = -value.number;
        return value;
      }
      return unknown(expression.text + " …", line);
    }
    case Of::item:
      return evaluate_item(expression);
    case Of::other:
      break;
  }
  return unknown(expression.text, line);
}

Value Evaluator::evaluate_call(const Expression& call) {
  const Expression& callee = call.parts.front();
  Value owner;
  std::string name = callee.text;
  if (callee.kind == Expression::Kind::attribute) {
    owner = evaluate(callee.parts.front());
  } else if (callee.kind == Expression::Kind::name) {
    auto known = variables.find(callee.text);
    bool symbol = known == variables.end() || known->second.kind == Kind::symbol;
    if (!symbol) return unknown(described(call), call.line);
    if (known != variables.end()) name = known->second.text;
  } else {
    return unknown(described(call), call.line);
  }
  Arguments arguments;
  for (size_t i = 1; i < call.parts.size(); ++i) {
    const std::string& keyword = call.names[i - 1];
    Value value = evaluate(call.parts[i]);
    if (keyword.empty()) {
      arguments.by_position.push_back(std::move(value));
    } else if (keyword == "**" && value.kind == Kind::dict) {
      for (size_t k = 0; k + 1 < value.items.size(); k += 2) {
        arguments.by_name.emplace_back(value.items[k].text, value.items[k + 1]);
      }
    } else {
      arguments.by_name.emplace_back(keyword, std::move(value));
    }
  }
  bool free = owner.kind == Kind::unknown || owner.kind == Kind::symbol;
  if (free) {
    if (auto value = built_in(name, arguments, call.line)) return *value;
  }
  if (auto value = call_(name, owner, arguments, call.line)) return *value;
  return unknown(described(call), call.line);
}

Value Evaluator::evaluate_binary(const Expression& binary) {
  Value left = evaluate(binary.parts[0]);
  Value right = evaluate(binary.parts[1]);
  int line = binary.line;
  const std::string& sign = binary.text;
  if (sign == ">>" || sign == "<<") {
    shift_(left, right, sign == ">>", line);
    return right;
  }
  bool integers = left.kind == Kind::integer && right.kind == Kind::integer;
  auto bounded = [&](Kind kind, int64_t number) -> Value {
    if (number > number_max || number < -number_max) return unknown("a large number", line);
    return {.kind = kind, .number = number, .line = line};
  };
  if (sign == "+" && left.kind == Kind::text && right.kind == Kind::text) {
    return {.kind = Kind::text, .text = left.text + right.text, .line = line};
  }
  if (sign == "+" && left.kind == Kind::list && right.kind == Kind::list) {
    std::ranges::move(right.items, std::back_inserter(left.items));
    return left;
  }
  if ((sign == "+" || sign == "-") &&
      (integers || (left.kind == Kind::span && right.kind == left.kind))) {
    return bounded(left.kind,
                   sign == "+" ? left.number + right.number : left.number - right.number);
  }
  bool product = sign == "*" && right.kind == Kind::integer &&
                 (left.kind == Kind::integer || left.kind == Kind::span);
  int64_t value = 0;
  if (product && !__builtin_mul_overflow(left.number, right.number, &value)) {
    return bounded(left.kind, value);
  }
  if (sign == "|" && left.kind == Kind::dict && right.kind == Kind::dict) {
    std::ranges::move(right.items, std::back_inserter(left.items));
    return left;
  }
  return unknown(fmt::format("… {} …", sign), line);
}

// {name} of known texts and whole numbers; {{ and }} are braces.
Value Evaluator::evaluate_format(const Expression& text) const {
  std::string result;
  std::string_view rest = text.text;
  while (!rest.empty()) {
    char c = rest.front();
    bool doubled = (c == '{' || c == '}') && rest.size() > 1 && rest[1] == c;
    if (doubled || (c != '{' && c != '}')) {
      result += c;
      rest.remove_prefix(doubled ? 2 : 1);
      continue;
    }
    size_t end = rest.find('}');
    if (c == '}' || end == std::string_view::npos) return unknown("an f-string", text.line);
    std::string name(rest.substr(1, end - 1));
    auto known = variables.find(name);
    auto value = known == variables.end() ? std::nullopt : printed(known->second);
    if (!value) return unknown("{" + name + "}", text.line);
    result += *value;
    rest.remove_prefix(end + 1);
  }
  return {.kind = Kind::text, .text = std::move(result), .line = text.line};
}

Value Evaluator::evaluate_item(const Expression& item) {
  Value owner = evaluate(item.parts[0]);
  Value key = evaluate(item.parts[1]);
  if (key.kind == Kind::text) {
    if (const Value* found = owner.find(key.text)) return *found;
  }
  bool inside = owner.kind == Kind::list && key.kind == Kind::integer && key.number >= 0 &&
                key.number < static_cast<int64_t>(owner.items.size());
  if (inside) return owner.items[static_cast<size_t>(key.number)];
  return unknown(described(item), item.line);
}

}  // namespace pinpipe::scheduler
