#include "lake/prune.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "codec/json.h"
#include "lake/column_mapping.h"
#include "lake/moment.h"
#include "sql/lexer.h"

namespace pinpipe::lake {
namespace {

std::optional<double> to_number(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> to_integer(std::string_view text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// -1, 0, 1; nothing when they cannot be compared. Rounding to double keeps the order, so two
// numbers that differ as doubles differ in the same way as decimals or long integers.
std::optional<int> compare(Kind kind, std::string_view a, std::string_view b) {
  auto order = [](auto x, auto y) { return x < y ? -1 : y < x ? 1 : 0; };
  switch (kind) {
    case Kind::string:
      return order(a, b);
    case Kind::date:
      if (a.size() != b.size() || a.size() != std::string_view("2024-01-02").size()) break;
      return order(a, b);
    case Kind::long_integer:
    case Kind::integer:
    case Kind::short_integer:
    case Kind::byte:
    case Kind::float32:
    case Kind::float64:
    case Kind::decimal: {
      auto i = to_integer(a);
      auto j = to_integer(b);
      if (i && j) return order(*i, *j);
      auto x = to_number(a);
      auto y = to_number(b);
      if (!x || !y) return std::nullopt;
      return order(*x, *y);
    }
    case Kind::timestamp:
    case Kind::timestamp_ntz: {
      auto x = parse_moment(a);
      auto y = parse_moment(b);
      if (!x || !y) return std::nullopt;
      // Writers cut maxima, and we cut both, to milliseconds: next to each other they are equal.
      if (*x - *y <= 1 && *y - *x <= 1) return 0;
      return order(*x, *y);
    }
    case Kind::boolean:
      return order(a == "true", b == "true");
    default:
      break;
  }
  return std::nullopt;
}

bool is_float(Kind kind) {
  return kind == Kind::float32 || kind == Kind::float64;
}

// What is known of one column in one file: no min and max means nothing is.
struct Range {
  std::optional<std::string> min;
  std::optional<std::string> max;
  bool only_nulls = false;
  bool no_nulls = false;
};

// A comparison with a literal of another kind is the engine's to understand.
bool is_comparable(const Bound& bound, Kind kind) {
  bool wants_text = kind == Kind::string || kind == Kind::date || kind == Kind::timestamp ||
                    kind == Kind::timestamp_ntz;
  return bound.is_text == wants_text;
}

// Numbers that are equal as doubles, and times that are equal as milliseconds, may still differ.
bool is_exact(Kind kind, std::string_view value) {
  if (kind == Kind::long_integer) return to_integer(value).has_value();
  return kind == Kind::string || kind == Kind::date || kind == Kind::integer ||
         kind == Kind::short_integer || kind == Kind::byte || kind == Kind::boolean;
}

bool may_meet(const Bound& bound, Kind kind, const Range& range) {
  if (bound.compare == Compare::is_null) return !range.no_nulls;
  if (range.only_nulls) return false;  // a null compares with nothing
  if (bound.compare == Compare::not_null) return true;
  if (!is_comparable(bound, kind)) return true;
  auto low = range.min ? compare(kind, *range.min, bound.value) : std::nullopt;
  auto high = range.max ? compare(kind, *range.max, bound.value) : std::nullopt;
  switch (bound.compare) {
    case Compare::equal:
      return (!low || *low <= 0) && (!high || *high >= 0);
    case Compare::less:
      return !low || *low < 0 || (*low == 0 && !is_exact(kind, bound.value));
    case Compare::less_equal:
      return !low || *low <= 0;
    case Compare::greater:
      return !high || *high > 0 || (*high == 0 && !is_exact(kind, bound.value));
    case Compare::greater_equal:
      return !high || *high >= 0;
    default:
      return true;
  }
}

std::optional<std::string> text_of(const codec::Json& json) {
  if (auto text = json.as_string()) return std::string(*text);
  if (json.is_null() || json.is_object() || json.is_array()) return std::nullopt;
  return codec::to_json(json);
}

Range range_of(const codec::Json& stats, const Field& field, const std::string& name) {
  Range range{.min = text_of(stats["minValues"][name]),
              .max = text_of(stats["maxValues"][name]),
              .only_nulls = false,
              .no_nulls = false};
  // NaN is greater than all and in nobody's maximum.
  if (is_float(field.type.kind)) range.max.reset();
  auto rows = stats["numRecords"].as_int();
  auto nulls = stats["nullCount"][name].as_int();
  if (rows && nulls) range.only_nulls = *rows > 0 && *nulls >= *rows;
  if (nulls) range.no_nulls = *nulls == 0;
  return range;
}

Range range_of_partition(const AddFile& file, const std::string& name) {
  auto at = std::ranges::find(file.partition_values, name,
                              &std::pair<std::string, std::optional<std::string>>::first);
  if (at == file.partition_values.end() || !at->second)
    return {.min = {}, .max = {}, .only_nulls = true, .no_nulls = false};
  return {.min = *at->second, .max = *at->second, .only_nulls = false, .no_nulls = true};
}

bool is_word(const sql::Token& token, std::string_view word) {
  return std::ranges::equal(token.text, word, [](char a, char b) { return (a | 0x20) == b; });
}

// Reads "column op literal" terms off the tokens; anything else ends it all.
class ConditionReader {
 public:
  explicit ConditionReader(std::string_view condition) : tokens_(sql::tokens_of(condition)) {}

  std::vector<Bound> read() {
    std::vector<Bound> bounds;
    while (true) {
      auto bound = term();
      if (!bound) return {};
      bounds.push_back(std::move(*bound));
      if (at_ == tokens_.size()) return bounds;
      if (!take("and")) return {};
    }
  }

 private:
  std::optional<Bound> term() {
    if (at_ == tokens_.size() || !is_name()) return std::nullopt;
    Bound bound{.column = sql::name_of(tokens_[at_++]), .value = {}};
    if (take("is")) {
      bound.compare = take("not") ? Compare::not_null : Compare::is_null;
      return take("null") ? std::optional(std::move(bound)) : std::nullopt;
    }
    auto compare = comparison();
    if (!compare || at_ == tokens_.size()) return std::nullopt;
    bound.compare = *compare;
    bool negative = take("-");
    if (at_ == tokens_.size()) return std::nullopt;
    std::string text(tokens_[at_++].text);
    // The lexer gives "1.5" as three tokens.
    if (to_integer(text) && take(".")) {
      if (at_ == tokens_.size()) return std::nullopt;
      text += "." + std::string(tokens_[at_++].text);
    }
    if (text.starts_with('\'') && text.size() >= 2 && !negative) {
      std::string inner = text.substr(1, text.size() - 2);
      if (inner.find('\'') != std::string::npos) return std::nullopt;
      bound.value = inner;
      bound.is_text = true;
      return bound;
    }
    if (!to_number(text) && text != "true" && text != "false") return std::nullopt;
    bound.value = (negative ? "-" : "") + text;
    return bound;
  }

  bool is_name() const {
    std::string_view text = tokens_[at_].text;
    bool quoted = text.starts_with('"') || text.starts_with('`');
    bool letter = !text.empty() && (((text[0] | 0x20) >= 'a' && (text[0] | 0x20) <= 'z') ||
                                    text[0] == '_' || (text[0] & 0x80) != 0);
    return quoted || (letter && !is_word(tokens_[at_], "not") && !is_word(tokens_[at_], "case"));
  }
  // The lexer gives ">=" as two tokens.
  std::optional<Compare> comparison() {
    if (take("=")) return Compare::equal;
    if (take("<")) return take("=") ? Compare::less_equal : strict(Compare::less);
    if (take(">")) return take("=") ? Compare::greater_equal : strict(Compare::greater);
    return std::nullopt;
  }
  // "<>" is no bound.
  std::optional<Compare> strict(Compare compare) {
    return take(">") ? std::nullopt : std::optional(compare);
  }
  bool take(std::string_view word) {
    if (at_ == tokens_.size() || !is_word(tokens_[at_], word)) return false;
    ++at_;
    return true;
  }

  std::vector<sql::Token> tokens_;
  size_t at_ = 0;
};

}  // namespace

std::vector<Bound> bounds_of(std::string_view condition) {
  return ConditionReader(condition).read();
}

bool may_hold(const Snapshot& snapshot, const AddFile& file, const std::vector<Bound>& bounds) {
  std::optional<codec::Json> stats;
  const auto& partitions = snapshot.metadata().partition_columns;
  for (const Bound& bound : bounds) {
    const Field* field = snapshot.schema().find(bound.column);
    if (field == nullptr) continue;
    std::string name = physical_name(*field);
    Range range;
    if (std::ranges::find(partitions, field->name) != partitions.end()) {
      range = range_of_partition(file, name);
    } else {
      if (!stats) {
        auto parsed = codec::parse_json(file.stats);
        stats = parsed ? std::move(*parsed) : codec::Json();
      }
      range = range_of(*stats, *field, name);
    }
    if (!may_meet(bound, field->type.kind, range)) return false;
  }
  return true;
}

std::vector<FilePtr> files_within(const Snapshot& snapshot, const std::vector<Bound>& bounds) {
  std::vector<FilePtr> files;
  for (const FilePtr& file : snapshot.files()) {
    if (bounds.empty() || may_hold(snapshot, *file, bounds)) files.push_back(file);
  }
  // So that small tables print as people expect.
  std::ranges::sort(files, [](const FilePtr& a, const FilePtr& b) {
    return std::tie(a->modified_ms, a->path) < std::tie(b->modified_ms, b->path);
  });
  return files;
}

}  // namespace pinpipe::lake
