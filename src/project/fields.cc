#include "project/fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

#include "project/nearest.h"

namespace pinpipe::project {

std::optional<int64_t> integer_of(const Node& node) {
  if (node.kind != Node::Kind::scalar || node.quoted) return std::nullopt;
  const char* end = node.text.data() + node.text.size();
  int64_t value = 0;
  auto [at, error] = std::from_chars(node.text.data(), end, value);
  if (error != std::errc() || at != end) return std::nullopt;
  return value;
}

std::optional<double> number_of(const Node& node) {
  if (node.kind != Node::Kind::scalar || node.quoted) return std::nullopt;
  const char* end = node.text.data() + node.text.size();
  double value = 0;
  auto [at, error] = std::from_chars(node.text.data(), end, value);
  if (error != std::errc() || at != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<bool> boolean_of(const Node& node) {
  if (node.kind != Node::Kind::scalar || node.quoted) return std::nullopt;
  if (node.text == "true") return true;
  if (node.text == "false") return false;
  return std::nullopt;
}

std::optional<int64_t> bytes_of(std::string_view text) {
  const char* end = text.data() + text.size();
  double value = 0;
  auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || !std::isfinite(value) || value < 0) return std::nullopt;
  std::string_view unit(at, static_cast<size_t>(end - at));
  struct Unit {
    std::string_view name;
    double bytes;
  };
  constexpr Unit units[] = {
      {"", 1},      {"B", 1},        {"KB", 1e3},        {"MB", 1e6},       {"GB", 1e9},
      {"TB", 1e12}, {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 0x1.0p30}, {"TiB", 0x1.0p40}};
  for (const Unit& known : units) {
    if (unit == known.name && value * known.bytes < 9e18) {
      return static_cast<int64_t>(value * known.bytes);
    }
  }
  return std::nullopt;
}

Fields::Fields(const Node& node, std::string what, Diagnostics& out)
    : node_(node), what_(std::move(what)), out_(out) {
  if (node.kind != Node::Kind::null && !node.is_mapping()) {
    out_.add(problems::wrong_type, node.at,
             fmt::format("{} is a mapping, not {}", what_, kind_name(node)));
  }
}

const Node* Fields::find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  const Node* value = node_.find(key);
  return value != nullptr && value->kind != Node::Kind::null ? value : nullptr;
}

void Fields::wrong(const Node& node, std::string_view key, std::string_view wanted) {
  std::string found = node.kind == Node::Kind::scalar
                          ? fmt::format("{}\"{}\"", node.quoted ? "the text " : "", node.text)
                          : std::string(kind_name(node));
  out_.add(problems::wrong_type, node.at, fmt::format("{} wants {}, not {}", key, wanted, found),
           {.length = std::max<size_t>(1, node.text.size())});
}

const Node* Fields::scalar(std::string_view key, std::string_view wanted) {
  const Node* value = find(key);
  if (value == nullptr || value->kind == Node::Kind::scalar) return value;
  wrong(*value, key, wanted);
  return nullptr;
}

std::string Fields::text(std::string_view key, std::string fallback) {
  const Node* value = scalar(key, "a text");
  return value != nullptr ? value->text : std::move(fallback);
}

std::string Fields::required_text(std::string_view key) {
  const Node* value = find(key);
  if (value == nullptr) {
    out_.add(problems::missing_key, node_.at, fmt::format("{} needs the key {}", what_, key));
    return {};
  }
  if (value->kind != Node::Kind::scalar || value->text.empty()) wrong(*value, key, "a text");
  return value->text;
}

std::string Fields::choice(std::string_view key, std::string fallback,
                           std::initializer_list<std::string_view> allowed) {
  const Node* value = scalar(key, "a text");
  if (value == nullptr) return fallback;
  if (std::find(allowed.begin(), allowed.end(), value->text) != allowed.end()) return value->text;
  std::vector<std::string> names(allowed.begin(), allowed.end());
  out_.add(problems::out_of_range, value->at,
           fmt::format("{} is one of {}, not \"{}\"", key, fmt::join(names, ", "), value->text),
           {.hint = did_you_mean(value->text, names), .length = value->text.size()});
  return fallback;
}

bool Fields::boolean(std::string_view key, bool fallback) {
  const Node* value = find(key);
  if (value == nullptr) return fallback;
  auto read = boolean_of(*value);
  if (!read) wrong(*value, key, "true or false");
  return read.value_or(fallback);
}

int64_t Fields::integer(std::string_view key, int64_t fallback, Range range) {
  const Node* value = find(key);
  if (value == nullptr) return fallback;
  auto read = integer_of(*value);
  if (!read) {
    wrong(*value, key, "a whole number");
  } else if (*read < range.least || *read > range.most) {
    out_.add(problems::out_of_range, value->at,
             fmt::format("{} is between {} and {}, not {}", key, range.least, range.most, *read),
             {.length = value->text.size()});
    read.reset();
  }
  return read.value_or(fallback);
}

double Fields::number(std::string_view key, double fallback) {
  const Node* value = find(key);
  if (value == nullptr) return fallback;
  auto read = number_of(*value);
  if (!read) wrong(*value, key, "a number");
  return read.value_or(fallback);
}

int64_t Fields::bytes(std::string_view key, int64_t fallback, Range range) {
  const Node* value = scalar(key, "a size such as 640MB");
  if (value == nullptr) return fallback;
  auto read = bytes_of(value->text);
  if (!read) {
    wrong(*value, key, "a size such as 640MB");
  } else if (*read < range.least || *read > range.most) {
    out_.add(
        problems::out_of_range, value->at,
        fmt::format("{} is between {} and {} bytes, not {}", key, range.least, range.most, *read),
        {.length = value->text.size()});
    read.reset();
  }
  return read.value_or(fallback);
}

int64_t Fields::seconds_as_ms(std::string_view key, int64_t fallback_ms, Range range_ms) {
  const Node* value = find(key);
  if (value == nullptr) return fallback_ms;
  auto read = number_of(*value);
  if (!read) {
    wrong(*value, key, "a number of seconds");
    return fallback_ms;
  }
  double ms = std::round(*read * 1000);
  if (ms < static_cast<double>(range_ms.least) || ms > static_cast<double>(range_ms.most)) {
    out_.add(problems::out_of_range, value->at,
             fmt::format("{} is between {} and {} seconds", key,
                         static_cast<double>(range_ms.least) / 1000,
                         static_cast<double>(range_ms.most) / 1000),
             {.length = value->text.size()});
    return fallback_ms;
  }
  return static_cast<int64_t>(ms);
}

std::vector<std::string> Fields::texts(std::string_view key) {
  std::vector<std::string> list;
  const Node* value = find(key);
  if (value == nullptr) return list;
  if (value->kind == Node::Kind::scalar) return {value->text};
  if (value->kind != Node::Kind::sequence) wrong(*value, key, "a list of texts");
  for (const Node& item : value->items) {
    if (item.kind == Node::Kind::scalar) {
      list.push_back(item.text);
    } else {
      wrong(item, key, "a list of texts");
    }
  }
  return list;
}

void Fields::each(std::string_view key, const std::function<void(const Node::Entry&)>& each) {
  const Node* value = find(key);
  if (value == nullptr) return;
  if (!value->is_mapping()) return wrong(*value, key, "a mapping");
  for (const Node::Entry& entry : value->entries) each(entry);
}

Position Fields::place(std::string_view key) const {
  const Node* value = node_.find(key);
  return value != nullptr ? value->at : node_.at;
}

void Fields::finish() {
  for (const Node::Entry& entry : node_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    std::string hint = did_you_mean(entry.key, known_);
    Diagnostics::More more{.hint = hint, .length = entry.key.size()};
    if (hint.empty()) more.help = fmt::format("known here: {}", fmt::join(known_, ", "));
    out_.add(problems::unknown_key, entry.at, fmt::format("{} has no key \"{}\"", what_, entry.key),
             more);
  }
}

}  // namespace pinpipe::project
