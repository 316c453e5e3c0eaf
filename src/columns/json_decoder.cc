#include "columns/json_decoder.h"

#include <cstring>
#include <deque>
#include <limits>
#include <optional>
#include <simdjson.h>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "columns/json_walk.h"
#include "columns/scalar.h"

namespace pinpipe::columns {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  lines += other.lines;
  values += other.values;
  rows += other.rows;
  refused += other.refused;
  return *this;
}

class JsonDecoder::Impl {
 public:
  Impl(const Schema& schema, OnRefused on_refused)
      : schema_(schema), on_refused_(std::move(on_refused)), seen_(schema.size()) {
#if defined(__x86_64__)
    CHECK(__builtin_cpu_supports("avx2"), "the processor has AVX2");
#endif
  }

  void start(std::string_view source, std::string_view bytes, uint64_t first_line) {
    CHECK(pending_.empty() && rest_.empty(), "a piece is used up before the next one starts");
    source_ = source;
    piece_ = bytes;
    rest_ = bytes;
    next_line_ = first_line;
    if (first_line == 1 && rest_.starts_with(byte_order_mark)) {
      rest_.remove_prefix(byte_order_mark.size());
    }
  }

  size_t fill(const Target& target, size_t row) {
    target_ = &target;
    row_ = row;
    while (row_ < target.rows_max) {
      if (!pending_.empty()) {
        std::string_view element = pending_.front();
        pending_.pop_front();
        decode(element, element, 0, true);
      } else if (!next_line()) {
        break;
      }
    }
    return row_;
  }

  const Counts& counts() const { return counts_; }

 private:
  // Takes one line from the piece; false at its end.
  bool next_line() {
    if (rest_.empty()) return false;
    const void* newline = std::memchr(rest_.data(), '\n', rest_.size());
    size_t length =
        newline == nullptr ? rest_.size() : static_cast<const char*>(newline) - rest_.data();
    std::string_view whole = rest_.substr(0, length);
    rest_.remove_prefix(std::min(rest_.size(), length + 1));
    line_ = next_line_++;
    std::string_view value = trimmed(whole);
    if (value.empty()) return true;
    ++counts_.lines;
    ++counts_.values;
    held_.clear();
    if (value.size() > line_bytes_max) {
      refuse(value, "longer than " + std::to_string(line_bytes_max >> 20) + " MiB");
      return true;
    }
    // The parser reads up to its padding beyond the value: fine inside the piece, not at its end.
    bool padded = length + rest_.size() >=
                  size_t(value.data() - whole.data()) + value.size() + simdjson::SIMDJSON_PADDING;
    decode(padded ? value : hold(value), value, 0, false);
    return true;
  }

  // A copy that lives, with padding behind it, until the next line.
  std::string_view hold(std::string_view text) {
    std::string& copy = held_.emplace_back();
    copy.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    copy = text;
    return copy;
  }

  void refuse(std::string_view bytes, std::string_view reason) {
    ++counts_.refused;
    on_refused_({.source = source_, .line = line_, .bytes = bytes, .reason = reason});
  }

  // One value, with padding behind it, becomes rows or a refusal. `original` is how it was sent,
  // when that was JSON inside a string.
  void decode(std::string_view text, std::string_view original, int encodings, bool in_array) {
    Reason reason;
    switch (text.front()) {
      case '{':
        reason = decode_object(text, original);
        break;
      case '"':
        reason = decode_string(text, original, encodings, in_array);
        break;
      case '[':
        reason = in_array ? "an array inside an array is not a row" : decode_array(text);
        break;
      default:
        reason = "not a JSON object";
        break;
    }
    if (!reason.empty()) refuse(original, reason);
  }

  simdjson::simdjson_result<od::document> parse(std::string_view text) {
    return parser_.iterate(simdjson::padded_string_view(text.data(), text.size(),
                                                        text.size() + simdjson::SIMDJSON_PADDING));
  }

  Reason decode_object(std::string_view text, std::string_view original) {
    od::document document;
    if (auto error = parse(text).get(document)) return why(error);
    od::object object;
    if (auto error = document.get_object().get(object)) return why(error);
    ++serial_;
    size_t expected = 0;
    for (auto item : object) {
      od::field field;
      if (auto error = std::move(item).get(field)) return why(error);
      std::optional<size_t> column = column_of(field, expected);
      Reason reason;
      if (!column) {
        reason = read_over(field.value(), 1);
      } else {
        expected = *column + 1;
        reason = write(*column, field.value());
        if (!reason.empty()) {
          reason.insert(0, "column " + schema_.columns()[*column].name + ": ");
        }
      }
      if (!reason.empty()) return reason;
    }
    if (document.current_location().error() == simdjson::SUCCESS) {
      return "something follows the JSON value";
    }
    return finish_row(original);
  }

  // The row is complete: columns that were not named become NULL, and the row counts.
  Reason finish_row(std::string_view original) {
    for (size_t i = 0; i < seen_.size(); ++i) {
      bool has_value = seen_[i] == serial_;
      if (!has_value && !schema_.columns()[i].nullable) {
        return "column " + schema_.columns()[i].name + " has no value";
      }
      const ColumnTarget& target = target_->columns[i];
      if (!has_value && target.values != nullptr) target.set_null(row_);
    }
    if (target_->source.values != nullptr) put_text(target_->source, source_);
    if (target_->bytes.values != nullptr) put_text(target_->bytes, original);
    if (target_->line.values != nullptr) {
      put<int64_t>(target_->line, static_cast<int64_t>(line_));
    }
    ++counts_.rows;
    ++row_;
    return {};
  }

  // Which column the field names. Senders repeat their order, so the column after the last one is
  // tried first, and only then the map.
  std::optional<size_t> column_of(od::field& field, size_t expected) {
    const char* key = field.key().raw();
    if (expected < schema_.size() &&
        schema_.columns()[expected].name.size() < simdjson::SIMDJSON_PADDING) {
      const std::string& name = schema_.columns()[expected].name;
      if (std::memcmp(key, name.data(), name.size()) == 0 && key[name.size()] == '"') {
        return expected;
      }
    }
    size_t length = 0;
    while (key[length] != '"' && key[length] != '\\') ++length;
    if (key[length] == '"') return schema_.find({key, length});
    std::string_view unescaped;
    if (field.unescaped_key().get(unescaped) != simdjson::SUCCESS) return std::nullopt;
    return schema_.find(unescaped);
  }

  template <class T>
  void put(const ColumnTarget& target, T value) {
    static_cast<T*>(target.values)[row_] = value;
    target.set_valid(row_);
  }

  void put_text(const ColumnTarget& target, std::string_view text) {
    bool in_piece = text.data() >= piece_.data() && text.data() < piece_.data() + piece_.size();
    target_->put_text(target, row_, text, in_piece);
    target.set_valid(row_);
  }

  // Reads `value` as the column's type and writes it when the column is wanted.
  Reason write(size_t column, od::value value) {
    const ColumnTarget& target = target_->columns[column];
    bool wanted = target.values != nullptr;
    char first = *value.raw_json_token().data();
    if (first == 'n') {
      // A null after a value of the same name takes its place: the last one wins.
      seen_[column] = 0;
      bool null = false;
      if (auto error = value.is_null().get(null); error || !null) return "not valid JSON";
      return {};
    }
    seen_[column] = serial_;
    switch (schema_.columns()[column].type) {
      case Type::text:
        return write_text(target, wanted, first, value);
      case Type::int32:
      case Type::int64:
        return write_integer(column, target, wanted, value);
      case Type::float64:
        return write_number(target, wanted, first, value);
      case Type::boolean:
        return write_boolean(target, wanted, first, value);
      case Type::timestamp:
        return write_timestamp(target, wanted, first, value);
    }
    return "a column of unknown type";
  }

  Reason write_text(const ColumnTarget& target, bool wanted, char first, od::value& value) {
    std::string_view text;
    if (first == '"') {
      std::string_view token = token_of(value);
      text = token.substr(1, token.size() - 2);
      // Text without a backslash is its own value: no need to copy it through the parser's buffer.
      if (std::memchr(text.data(), '\\', text.size()) != nullptr) {
        if (auto error = value.get_string().get(text)) return why(error);
      }
    } else if (Reason reason = spelling_of(value, text); !reason.empty()) {
      return reason;
    }
    if (wanted) put_text(target, text);
    return {};
  }

  Reason write_integer(size_t column, const ColumnTarget& target, bool wanted, od::value& value) {
    bool is_int32 = schema_.columns()[column].type == Type::int32;
    int64_t number = 0;
    if (value.get_int64().get(number) != simdjson::SUCCESS) {
      std::string_view token;
      if (Reason reason = scalar_text(value, token); !reason.empty()) return reason;
      std::optional<int64_t> exact = integer_of(token);
      if (!exact) return cannot_read(token, is_int32 ? "integer" : "bigint");
      number = *exact;
    }
    if (is_int32) {
      using Limits = std::numeric_limits<int32_t>;
      if (number < Limits::min() || number > Limits::max()) {
        return std::to_string(number) + " is out of range for integer";
      }
      if (wanted) put<int32_t>(target, static_cast<int32_t>(number));
    } else if (wanted) {
      put<int64_t>(target, number);
    }
    return {};
  }

  Reason write_number(const ColumnTarget& target, bool wanted, char first, od::value& value) {
    double number = 0;
    if (first == '"' || value.get_double().get(number) != simdjson::SUCCESS) {
      std::string_view token;
      if (Reason reason = scalar_text(value, token); !reason.empty()) return reason;
      std::optional<double> exact = number_of(token);
      if (!exact) return cannot_read(token, "double");
      number = *exact;
    }
    if (wanted) put<double>(target, number);
    return {};
  }

  Reason write_boolean(const ColumnTarget& target, bool wanted, char first, od::value& value) {
    bool truth = false;
    if (first == '"' || value.get_bool().get(truth) != simdjson::SUCCESS) {
      std::string_view token;
      if (Reason reason = scalar_text(value, token); !reason.empty()) return reason;
      std::optional<bool> exact = boolean_of(token);
      if (!exact) return cannot_read(token, "boolean");
      truth = *exact;
    }
    if (wanted) put<uint8_t>(target, truth ? 1 : 0);
    return {};
  }

  Reason write_timestamp(const ColumnTarget& target, bool wanted, char first, od::value& value) {
    std::string_view token = token_of(value);
    if (first != '"') return cannot_read(token, "timestamp");
    if (Reason reason = scalar_text(value, token); !reason.empty()) return reason;
    std::optional<int64_t> micros = timestamp_of(token);
    if (!micros) return cannot_read(token, "timestamp");
    if (wanted) put<int64_t>(target, *micros);
    return {};
  }

  static Reason cannot_read(std::string_view token, std::string_view type) {
    constexpr size_t shown_bytes_max = 40;
    std::string shown(token.substr(0, shown_bytes_max));
    if (token.size() > shown_bytes_max) shown += "…";
    return "cannot read " + shown + " as " + std::string(type);
  }

  // What stands in the text, or the number's own spelling; refuses arrays and objects.
  static Reason scalar_text(od::value& value, std::string_view& text) {
    std::string_view token = token_of(value);
    if (token.starts_with('{') || token.starts_with('[')) {
      return token.starts_with('{') ? "an object where one value belongs"
                                    : "an array where one value belongs";
    }
    text = token;
    if (token.starts_with('"')) {
      if (auto error = value.get_string().get(text)) return why(error);
    } else if (!is_json_number(token) && token != "true" && token != "false") {
      return "not valid JSON";  // "1." is a number to others, not to JSON
    }
    return {};
  }

  // The elements are found and checked first and decoded one by one afterwards, because the target
  // may be full in the middle of the array, and a broken array must not leave half its rows.
  Reason decode_array(std::string_view text) {
    od::document document;
    if (auto error = parse(text).get(document)) return why(error);
    od::array array;
    if (auto error = document.get_array().get(array)) return why(error);
    std::deque<std::string_view> elements;
    for (auto item : array) {
      od::value element;
      if (auto error = std::move(item).get(element)) return why(error);
      std::string_view spelling;
      Reason reason = spelling_of(element, spelling);
      if (!reason.empty()) return reason;
      elements.push_back(spelling);
    }
    if (document.current_location().error() == simdjson::SUCCESS) {
      return "something follows the JSON value";
    }
    counts_.values += elements.size() - 1;  // the line counted as one until now
    pending_ = std::move(elements);
    return {};
  }

  // JSON inside a JSON string.
  Reason decode_string(std::string_view text, std::string_view original, int encodings,
                       bool in_array) {
    if (encodings == encodings_max) return "JSON inside a string inside a string, too many times";
    od::document document;
    if (auto error = parse(text).get(document)) return why(error);
    std::string_view inner;
    if (auto error = document.get_string().get(inner)) return why(error);
    if (document.current_location().error() == simdjson::SUCCESS) {
      return "something follows the JSON value";
    }
    inner = trimmed(inner);
    constexpr std::string_view json_starts = "{[\"";
    if (!inner.empty() && json_starts.find(inner.front()) != std::string_view::npos) {
      decode(hold(inner), original, encodings + 1, in_array);
      return {};
    }
    std::optional<std::string> bytes = from_base64(inner);
    if (bytes && bytes->starts_with('{')) {
      decode(hold(*bytes), original, encodings + 1, in_array);
      return {};
    }
    return inner.empty() ? "an empty string instead of a JSON object"
                         : "a string that holds no JSON object";
  }

  const Schema& schema_;
  OnRefused on_refused_;
  od::parser parser_;
  Counts counts_;

  std::string_view source_;
  std::string_view piece_;
  std::string_view rest_;
  uint64_t next_line_ = 1;
  uint64_t line_ = 0;
  std::deque<std::string_view>
      pending_;  // elements of the last array; views into the piece or held_
  std::deque<std::string> held_;

  const Target* target_ = nullptr;
  size_t row_ = 0;
  uint64_t serial_ = 0;         // of the row being decoded
  std::vector<uint64_t> seen_;  // per column the last row that had a value
};

JsonDecoder::JsonDecoder(const Schema& schema, OnRefused on_refused)
    : impl_(std::make_unique<Impl>(schema, std::move(on_refused))) {}
JsonDecoder::~JsonDecoder() = default;

void JsonDecoder::start(std::string_view source, std::string_view bytes, uint64_t first_line) {
  impl_->start(source, bytes, first_line);
}

size_t JsonDecoder::fill(const Target& target, size_t row) {
  return impl_->fill(target, row);
}

const Counts& JsonDecoder::counts() const {
  return impl_->counts();
}

}  // namespace pinpipe::columns
