#include "doors/kinesis/members.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

namespace pinpipe::kinesis {
namespace {

using codec::Json;

constexpr std::string_view list_start = "Start of list found where not expected";
constexpr std::string_view map_start = "Start of structure or map found where not expected.";
constexpr std::string_view a_number =
    "class com.amazon.coral.value.json.numbers.TruncatingBigNumber";
constexpr size_t shown_bytes_max = 8192;  // of one value in an error

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}
// "0|([1-9]\d{0,n})"
bool is_natural(std::string_view text, size_t digits_max) {
  if (text.empty() || text.size() > digits_max || !is_digits(text)) return false;
  return text == "0" || text[0] != '0';
}
bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}
// What follows "arn:aws…:kinesis:<region>:<12 digits>:", or nothing.
std::string_view resource_in_arn(std::string_view text) {
  for (size_t part = 0; part < 5; ++part) {
    size_t colon = text.find(':');
    if (colon == std::string_view::npos) return {};
    std::string_view field = text.substr(0, colon);
    text.remove_prefix(colon + 1);
    bool good = (part != 0 || field == "arn") && (part != 1 || field.starts_with("aws")) &&
                (part != 2 || field == "kinesis") &&
                (part != 4 || (field.size() == 12 && is_digits(field)));
    if (!good) return {};
  }
  return text;
}
bool is_stream_arn(std::string_view text) {
  text = resource_in_arn(text);
  return text.starts_with("stream/") && text.size() > 7 &&
         std::ranges::none_of(text, [](char c) { return c == ' ' || c == '\n' || c == '\t'; });
}
// "stream/<name>/consumer/<name>:<digits>"
bool is_consumer_arn(std::string_view text) {
  text = resource_in_arn(text);
  constexpr std::string_view middle = "/consumer/";
  size_t at = text.find(middle);
  size_t colon = text.rfind(':');
  if (!text.starts_with("stream/") || at == text.npos || colon == text.npos || colon < at)
    return false;
  std::string_view digits = text.substr(colon + 1);
  return is_name(text.substr(7, at - 7)) &&
         is_name(text.substr(at + middle.size(), colon - at - middle.size())) && !digits.empty() &&
         is_digits(digits);
}

std::string lower_first(std::string_view name) {
  std::string text(name);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + 32);
  return text;
}

size_t characters(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

size_t blob_size(std::string_view text, Form form) {
  if (form == Form::cbor) return text.size();
  size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  return text.size() / 4 * 3 - padding;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// In a form that the compiler turns into a look at many bytes at once: all of every record go by.
bool are_symbols(std::string_view text) {
  uint8_t bad = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<uint8_t>(text[i]);
    const auto upper = static_cast<uint8_t>(c - 'A');
    const auto lower = static_cast<uint8_t>(c - 'a');
    const auto digit = static_cast<uint8_t>(c - '0');
    bad |= (upper < 26 || lower < 26 || digit < 10 || c == '+' || c == '/') ? 0 : 1;
  }
  return bad == 0;
}

std::optional<std::string> blob_problem(std::string_view text) {
  auto problem = [&](std::string_view why) {
    return fmt::format("'{}' can not be converted to a Blob: {}", text.substr(0, shown_bytes_max),
                       why);
  };
  if (text.size() % 4 != 0)
    return problem(fmt::format(
        "Base64 encoded length is expected a multiple of 4 bytes but found: {}", text.size()));
  size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string_view symbols = text.substr(0, text.size() - padding);
  if (!are_symbols(symbols)) {
    auto bad = std::ranges::find_if(symbols, [](char c) { return base64_value(c) < 0; });
    return problem(fmt::format("Invalid Base64 character: '{}'", *bad));
  }
  int unused = padding == 1 ? 0x3 : padding == 2 ? 0xf : 0;
  if (padding > 0 && (base64_value(symbols.back()) & unused) != 0)
    return problem("Invalid last non-pad Base64 character dectected");
  return std::nullopt;
}

std::string_view article_and_name(Type type) {
  switch (type) {
    case Type::integer:
      return "an Integer";
    case Type::boolean:
      return "an Boolean";
    case Type::blob:
      return "a Blob";
    case Type::time:
      return "milliseconds since epoch";
    default:
      return "an String";
  }
}

std::optional<std::string> scalar_problem(const Json& value, Type type, Form form) {
  if (value.is_array()) return std::string(list_start);
  if (value.is_object()) return std::string(map_start);
  bool good = (type == Type::text && value.is_string()) ||
              (type == Type::blob && value.is_string()) ||
              (type == Type::boolean && value.is_bool()) ||
              ((type == Type::integer || type == Type::time) && value.is_number());
  if (good) {
    bool is_base64 = type == Type::blob && form == Form::json;
    return is_base64 ? blob_problem(*value.as_string()) : std::nullopt;
  }
  std::string_view name = value.is_bool()     ? "class java.lang.Boolean"
                          : value.is_number() ? a_number
                                              : "class java.lang.String";
  return fmt::format("{} can not be converted to {}", name, article_and_name(type));
}

std::optional<std::string> type_problem(const Json& value, const Member& member, Form form);

std::optional<std::string> structure_problem(const Json& value, std::span<const Member> members,
                                             Form form) {
  if (value.is_array()) return std::string(list_start);
  if (!value.is_object()) return std::string("Expected null");
  for (const Member& member : members) {
    if (auto problem = type_problem(value[member.name], member, form)) return problem;
  }
  return std::nullopt;
}

std::optional<std::string> type_problem(const Json& value, const Member& member, Form form) {
  if (value.is_null()) return std::nullopt;
  switch (member.type) {
    case Type::structure:
      return structure_problem(value, member.members, form);
    case Type::list:
      if (value.is_object()) return std::string(map_start);
      if (!value.is_array()) return std::string("Expected list or null");
      for (const Json& element : value.elements()) {
        if (auto problem = type_problem(element, *member.element, form)) return problem;
      }
      return std::nullopt;
    case Type::map:
      if (value.is_array()) return std::string(list_start);
      if (!value.is_object()) return std::string("Expected map or null");
      for (const codec::JsonMember& entry : value.members()) {
        if (auto problem = type_problem(entry.value, *member.element, form)) return problem;
      }
      return std::nullopt;
    default:
      return scalar_problem(value, member.type, form);
  }
}

// Where a value is, in AWS's spelling; written only for what is told, as most requests are good.
struct Path {
  const Path* parent = nullptr;
  std::string_view member = {};  // of a structure
  std::string_view key = {};     // of a map
  size_t number = 0;             // of a list

  std::string text() const {
    if (!member.empty()) return (parent ? parent->text() + "." : "") + lower_first(member);
    if (number > 0) return fmt::format("{}.{}.member", parent->text(), number);
    return fmt::format("{}.{}.member", parent->text(), key);
  }
};

// Collects what AWS says about constraints.
class Constraints {
 public:
  explicit Constraints(Form form) : form_(form) {}

  void check_all(const Json& given, std::span<const Member> members, const Path* parent) {
    for (const Member& member : members) {
      bool required = member.required && (member.unless.empty() || given[member.unless].is_null());
      check(given[member.name], member, {.parent = parent, .member = member.name}, required);
    }
  }
  std::optional<Failure> failure() const {
    if (problems_.empty()) return std::nullopt;
    return Failure{"ValidationException",
                   fmt::format("{} validation error{} detected: {}", problems_.size(),
                               problems_.size() > 1 ? "s" : "", fmt::join(problems_, "; "))};
  }

 private:
  void check(const Json& value, const Member& member, const Path& path, bool required) {
    if (value.is_null()) {
      if (required) note("null", path, "Member must not be null");
      return;
    }
    auto refuse = [&](std::string constraint) {
      note("'" + shown(value, member) + "'", path, constraint);
    };
    if (!member.words.empty() &&
        std::ranges::find(member.words, *value.as_string()) == member.words.end())
      refuse(
          fmt::format("Member must satisfy enum value set: [{}]", fmt::join(member.words, ", ")));
    if (member.pattern != nullptr && !member.pattern->matches(*value.as_string()))
      refuse(
          fmt::format("Member must satisfy regular expression pattern: {}", member.pattern->text));
    std::string_view measured = member.type == Type::integer ? "value" : "length";
    int64_t measure = measure_of(value, member);
    if (member.least && measure < *member.least)
      refuse(
          fmt::format("Member must have {} greater than or equal to {}", measured, *member.least));
    if (member.most && measure > *member.most)
      refuse(fmt::format("Member must have {} less than or equal to {}", measured, *member.most));
    check_inside(value, member, path);
  }

  void check_inside(const Json& value, const Member& member, const Path& path) {
    if (member.type == Type::structure) check_all(value, member.members, &path);
    if (member.type == Type::list) {
      size_t number = 0;
      for (const Json& element : value.elements()) {
        if (problems_.size() >= problems_max) return;
        check(element, *member.element, {.parent = &path, .number = ++number}, true);
      }
    }
    if (member.type == Type::map) {
      for (const codec::JsonMember& entry : value.members())
        check(entry.value, *member.element, {.parent = &path, .key = entry.key}, true);
    }
  }

  int64_t measure_of(const Json& value, const Member& member) const {
    switch (member.type) {
      case Type::integer:
        return static_cast<int64_t>(std::clamp(value.as_double().value_or(0), -9e15, 9e15));
      case Type::text:
        return static_cast<int64_t>(characters(*value.as_string()));
      case Type::blob:
        return static_cast<int64_t>(blob_size(*value.as_string(), form_));
      default:
        return static_cast<int64_t>(value.size());
    }
  }

  std::string shown(const Json& value, const Member& member) const {
    std::string text;
    switch (member.type) {
      case Type::text:
        text = std::string(*value.as_string());
        break;
      case Type::blob:
        text = blob_text(blob_size(*value.as_string(), form_));
        break;
      case Type::list:
        for (const Json& element : value.elements()) {
          if (text.size() > shown_bytes_max) break;
          text.append(text.empty() ? "[" : ", ")
              .append(member.element->type == Type::text ? *element.as_string()
                                                         : member.element_class);
        }
        text.append(text.empty() ? "[]" : "]");
        break;
      case Type::map:
        for (const codec::JsonMember& entry : value.members()) {
          if (text.size() > shown_bytes_max) break;
          text.append(text.empty() ? "{" : ", ").append(entry.key).append("=");
          text.append(entry.value.as_string().value_or("null"));
        }
        text.append(text.empty() ? "{}" : "}");
        break;
      default:
        text = codec::to_json(value);
    }
    return text.substr(0, shown_bytes_max);
  }

  void note(std::string_view value, const Path& path, std::string_view constraint) {
    if (problems_.size() < problems_max)
      problems_.push_back(fmt::format("Value {} at '{}' failed to satisfy constraint: {}", value,
                                      path.text(), constraint));
  }

  Form form_;
  std::vector<std::string> problems_;
};

}  // namespace

const Pattern name_pattern{"[a-zA-Z0-9_.-]+", is_name};
const Pattern sequence_pattern{"0|([1-9]\\d{0,128})",
                               [](std::string_view text) { return is_natural(text, 129); }};
const Pattern hash_key_pattern{"0|([1-9]\\d{0,38})",
                               [](std::string_view text) { return is_natural(text, 39); }};
const Pattern stream_arn_pattern{"arn:aws.*:kinesis:.*:\\d{12}:.*stream/\\S+", is_stream_arn};
const Pattern consumer_arn_pattern{
    "^(arn):aws.*:kinesis:.*:\\d{12}:.*stream\\/[a-zA-Z0-9_.-]+\\/consumer\\/[a-zA-Z0-9_.-]+:"
    "[0-9]+",
    is_consumer_arn};

std::optional<Failure> check_members(const Json& given, std::span<const Member> members,
                                     Form form) {
  if (auto problem = structure_problem(given, members, form))
    return Failure{"SerializationException", std::move(*problem)};
  Constraints constraints(form);
  constraints.check_all(given, members, nullptr);
  return constraints.failure();
}

std::string validation_text(std::string_view value, std::string_view path,
                            std::string_view constraint) {
  return fmt::format(
      "1 validation error detected: Value {} at '{}' failed to satisfy constraint: {}", value, path,
      constraint);
}

std::string blob_text(size_t size) {
  return fmt::format("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", size);
}

}  // namespace pinpipe::kinesis
