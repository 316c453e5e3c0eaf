#include "lake/stats.h"

#include <algorithm>
#include <fmt/format.h>

#include "codec/json.h"

namespace pinpipe::lake {
namespace {

struct Character {
  char32_t code;
  size_t size;
};

// The character at the front, or nothing when these bytes are not UTF-8.
std::optional<Character> first_character(std::string_view text) {
  auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return Character{lead, 1};
  size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return std::nullopt;
  char32_t code = lead & (0x7FU >> size);
  for (size_t i = 1; i < size; ++i) {
    auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0) != 0x80) return std::nullopt;
    code = (code << 6) | (next & 0x3F);
  }
  return Character{code, size};
}

// The byte where character number `count` begins, the end if there are fewer characters.
std::optional<size_t> offset_of_character(std::string_view text, size_t count) {
  size_t at = 0;
  while (count-- > 0 && at < text.size()) {
    auto character = first_character(text.substr(at));
    if (!character) return std::nullopt;
    at += character->size;
  }
  return at;
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// [-]digits[.digits]: what integers and decimals look like. Leading zeros do not occur.
bool is_plain_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  size_t point = text.find('.');
  if (point == std::string_view::npos) return is_digits(text);
  return is_digits(text.substr(0, point)) && is_digits(text.substr(point + 1));
}

// 1.5, 1e+300, -2.5e-08: JSON's own grammar, so DuckDB's digits are kept as they are.
bool is_float(std::string_view text) {
  size_t exponent = text.find('e');
  if (exponent == std::string_view::npos) return is_plain_number(text);
  std::string_view power = text.substr(exponent + 1);
  if (power.starts_with('-') || power.starts_with('+')) power.remove_prefix(1);
  return is_plain_number(text.substr(0, exponent)) && is_digits(power);
}

// YYYY-MM-DD; years of five digits or before Christ have no form that all readers share.
bool is_date(std::string_view text) {
  return text.size() == 10 && text[4] == '-' && text[7] == '-' && is_digits(text.substr(0, 4)) &&
         is_digits(text.substr(5, 2)) && is_digits(text.substr(8, 2));
}

std::string json_text(std::string_view text) {
  std::string json;
  codec::append_json_string(json, text);
  return json;
}

bool has_bounds(const Type& type) {
  switch (type.kind) {
    case Kind::boolean:
    case Kind::binary:
    case Kind::array:
    case Kind::map:
    case Kind::structure:
      return false;
    default:
      return true;
  }
}

// Walks the schema once and writes three objects of the same nesting.
class StatsWriter {
 public:
  StatsWriter(const sql::ParquetFile& file, const std::map<std::string, int64_t>& list_nulls)
      : file_(file), list_nulls_(list_nulls) {}

  FileStats write(const Schema& schema) {
    collect(schema.fields, min_, max_, nulls_);
    std::string json;
    codec::JsonWriter out(json);
    out.begin_object().field("numRecords", file_.rows);
    out.key("minValues").raw("{" + min_ + "}").key("maxValues").raw("{" + max_ + "}");
    out.key("nullCount").raw("{" + nulls_ + "}");
    if (was_cut_) out.field("tightBounds", false);
    out.end_object();
    return FileStats{
        .rows = file_.rows, .json = std::move(json), .null_counts = std::move(null_counts_)};
  }

 private:
  void collect(const std::vector<Field>& fields, std::string& min, std::string& max,
               std::string& nulls) {
    for (const Field& field : fields) {
      path_.push_back(field.name);
      if (field.type.kind == Kind::structure) {
        std::string inner_min;
        std::string inner_max;
        std::string inner_nulls;
        collect(field.type.parts, inner_min, inner_max, inner_nulls);
        append(min, field.name, inner_min, true);
        append(max, field.name, inner_max, true);
        append(nulls, field.name, inner_nulls, true);
      } else if (leaves_++ < indexed_columns_max || path_.size() == 1) {
        collect_leaf(field, leaves_ <= indexed_columns_max, min, max, nulls);
      }
      path_.pop_back();
    }
  }

  void collect_leaf(const Field& field, bool indexed, std::string& min, std::string& max,
                    std::string& nulls) {
    if (field.type.kind == Kind::array || field.type.kind == Kind::map) {
      auto count = path_.size() == 1 ? list_nulls_.find(field.name) : list_nulls_.end();
      if (count == list_nulls_.end()) return;
      null_counts_[field.name] = count->second;
      if (indexed) append(nulls, field.name, fmt::format("{}", count->second), false);
      return;
    }
    auto at = std::ranges::find(file_.columns, path_, &sql::ParquetColumn::path);
    if (at == file_.columns.end()) return;
    if (at->null_count) {
      if (path_.size() == 1) null_counts_[field.name] = *at->null_count;
      if (indexed) append(nulls, field.name, fmt::format("{}", *at->null_count), false);
    }
    if (!indexed || at->has_nan || !has_bounds(field.type)) return;
    if (at->min) {
      if (auto bound = to_delta_bound(field.type, *at->min, false)) {
        append(min, field.name, *bound, false);
        note_cut(field, *bound, *at->min);
      }
    }
    if (at->max) {
      if (auto bound = to_delta_bound(field.type, *at->max, true)) {
        append(max, field.name, *bound, false);
        note_cut(field, *bound, *at->max);
      }
    }
  }

  void note_cut(const Field& field, std::string_view bound, std::string_view text) {
    if (field.type.kind == Kind::string && bound != json_text(text)) was_cut_ = true;
  }

  static void append(std::string& object, std::string_view name, std::string_view json,
                     bool is_members) {
    if (is_members && json.empty()) return;
    if (!object.empty()) object += ',';
    codec::append_json_string(object, name);
    object += ':';
    if (is_members) object += '{';
    object += json;
    if (is_members) object += '}';
  }

  const sql::ParquetFile& file_;
  const std::map<std::string, int64_t>& list_nulls_;
  std::vector<std::string> path_;
  size_t leaves_ = 0;
  bool was_cut_ = false;
  std::string min_;
  std::string max_;
  std::string nulls_;
  std::map<std::string, int64_t> null_counts_;
};

}  // namespace

FileStats stats_of(const Schema& schema, const sql::ParquetFile& file,
                   const std::map<std::string, int64_t>& list_nulls) {
  return StatsWriter(file, list_nulls).write(schema);
}

std::optional<std::string> to_delta_timestamp(std::string_view text) {
  // "YYYY-MM-DD HH:MM:SS[.ffffff][+00]"; sessions are in UTC, so another zone is not ours to read.
  if (text.ends_with("+00")) text.remove_suffix(3);
  if (text.size() < 19 || !is_date(text.substr(0, 10)) || text[10] != ' ') return std::nullopt;
  std::string_view clock = text.substr(11, 8);
  if (clock[2] != ':' || clock[5] != ':' || !is_digits(clock.substr(0, 2)) ||
      !is_digits(clock.substr(3, 2)) || !is_digits(clock.substr(6, 2))) {
    return std::nullopt;
  }
  std::string fraction(text.substr(19));
  if (fraction.empty()) fraction = ".";
  if (fraction[0] != '.' || fraction.size() > 7) return std::nullopt;
  if (fraction.size() > 1 && !is_digits(std::string_view(fraction).substr(1))) return std::nullopt;
  while (fraction.size() < 4 || (fraction.size() > 4 && fraction.size() < 7)) fraction += '0';
  return fmt::format("{}T{}{}Z", text.substr(0, 10), clock, fraction);
}

std::optional<std::string> cut_min(std::string_view text) {
  auto end = offset_of_character(text, string_prefix_max);
  if (!end) return std::nullopt;
  return std::string(text.substr(0, *end));
}

std::optional<std::string> cut_max(std::string_view text) {
  constexpr char32_t last_character = 0x10FFFF;
  auto end = offset_of_character(text, string_prefix_max);
  if (!end) return std::nullopt;
  if (*end == text.size()) return std::string(text);
  // Nothing is greater than the last character, so the cut moves behind a run of them.
  for (size_t taken = string_prefix_max; taken < 2 * string_prefix_max; ++taken) {
    auto cut_off = first_character(text.substr(*end));
    if (!cut_off) return std::nullopt;
    if (cut_off->code < last_character) {
      std::string_view tie_breaker = cut_off->code < 0x7F ? "\x7F" : "\xF4\x8F\xBF\xBF";
      return std::string(text.substr(0, *end)).append(tie_breaker);
    }
    *end += cut_off->size;
    if (*end == text.size()) return std::string(text);
  }
  return std::nullopt;
}

std::optional<std::string> to_delta_bound(const Type& type, std::string_view text, bool is_max) {
  switch (type.kind) {
    case Kind::long_integer:
    case Kind::integer:
    case Kind::short_integer:
    case Kind::byte:
    case Kind::decimal:
      if (!is_plain_number(text)) return std::nullopt;
      return std::string(text);
    case Kind::float32:
    case Kind::float64:
      if (!is_float(text)) return std::nullopt;
      return std::string(text);
    case Kind::date:
      if (!is_date(text)) return std::nullopt;
      return json_text(text);
    case Kind::timestamp: {
      auto rendered = to_delta_timestamp(text);
      if (!rendered) return std::nullopt;
      return json_text(*rendered);
    }
    case Kind::string: {
      auto cut = is_max ? cut_max(text) : cut_min(text);
      if (!cut) return std::nullopt;
      return json_text(*cut);
    }
    default:
      return std::nullopt;
  }
}

}  // namespace pinpipe::lake
