// JSON on the hot path: one validating pass over a text, then a cursor over its values without a
// tree.
//   JsonScanner scanner;                                   // keep it: its buffers are reused
//   auto body = scanner.scan(text); if (!body) return body.error();
//   for (auto [key, value] : body->fields())
//     if (key == "records")
//       for (JsonCursor record : value.elements()) record.append_compact(out);
// Promise: after scan() the whole text is known to be one RFC 8259 value in valid UTF-8, so the
// cursor cannot fail. Skipping a value costs O(1). No padding is asked of the text. Bounds:
// json_depth_max, json_bytes_max; a scanner keeps at most kept_bytes_max of text's worth of buffers
// between scans (about 8 bytes each). Once warm, a scan allocates nothing.
//
// Compact form: whitespace dropped; order of keys and spelling of numbers kept; `\/` and `\uXXXX`
// become raw UTF-8, surrogate pairs joined. Control characters are spelled \b \t \n \f \r or
// \u00XX;
// `\"` and `\\` stay. A lone surrogate, which UTF-8 cannot express, stays as it was escaped.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/json.h"

namespace pinpipe::codec {

class JsonCursor;

class JsonScanner {
 public:
  static constexpr size_t kept_bytes_max = size_t{1} << 20;

  JsonScanner();
  ~JsonScanner();
  JsonScanner(JsonScanner&&) noexcept;
  JsonScanner& operator=(JsonScanner&&) noexcept;

  // Validates `text` and gives its value. Cursors refer to `text` and to this scanner, until the
  // next scan. Error: `invalid`, with the byte position where there is one.
  Result<JsonCursor> scan(std::string_view text);
  // scan() and append_compact() in one; `out` is unchanged on error.
  Status compact(std::string_view text, std::string& out);
  // Whether the last scanned text is in compact form already.
  bool is_compact() const { return !has_blanks_ && !has_escapes_to_rewrite_; }

 private:
  friend class JsonCursor;
  struct Buffers;

  Status index_tokens(std::string_view text);
  Status check_grammar();
  Status check_string(uint32_t token);
  Error error_at(size_t position, std::string_view what) const;
  // One past the last byte of the string, number or word that begins at this token.
  size_t scalar_end(uint32_t token) const;
  void append_rewritten(uint32_t first, uint32_t last, std::string& out) const;

  std::unique_ptr<Buffers> buffers_;
  std::string_view text_;
  const uint32_t* starts_ = nullptr;  // where each token begins; starts_[count_] is the text's size
  uint32_t* closes_ = nullptr;        // for a token that opens: the token that closes
  uint32_t count_ = 0;
  bool has_blanks_ = false;
  bool has_backslashes_ = false;
  bool has_escapes_to_rewrite_ = false;
};

enum class JsonType { null, boolean, number, string, array, object };

// One value of a scanned text; as cheap to copy as a pointer.
class JsonCursor {
 public:
  struct Field;
  class FieldRange;
  class ElementRange;

  JsonType type() const;
  bool is_null() const { return first_char() == 'n'; }
  bool is_object() const { return first_char() == '{'; }
  bool is_array() const { return first_char() == '['; }
  bool is_string() const { return first_char() == '"'; }

  // The value's bytes as they were sent; a string with its quotes.
  std::string_view raw() const { return scanner_->text_.substr(start(), end() - start()); }
  // The value in compact form; copied as it is where it is compact.
  void append_compact(std::string& out) const;

  // A string's content. Without escapes it is a view of the text; otherwise it is unescaped into
  // `buffer`, which must outlive the use. `invalid` for other types and for lone surrogates.
  Result<std::string_view> string(std::string& buffer) const;
  // The number, when it is an integer within range; the boolean.
  std::optional<int64_t> as_int() const;
  std::optional<bool> as_bool() const;
  // Builds the tree. As parse_json.
  Result<Json> to_value() const;

  // Members in order (keys unescaped), elements in order; empty for other types.
  FieldRange fields() const;
  ElementRange elements() const;
  // The last field of that name.
  std::optional<JsonCursor> find(std::string_view key) const;

 private:
  friend class JsonScanner;
  JsonCursor(const JsonScanner* scanner, uint32_t token) : scanner_(scanner), token_(token) {}

  size_t start() const { return scanner_->starts_[token_]; }
  char first_char() const { return scanner_->text_[start()]; }
  bool opens() const { return is_object() || is_array(); }
  uint32_t last_token() const { return opens() ? scanner_->closes_[token_] : token_; }
  size_t end() const {
    return opens() ? scanner_->starts_[last_token()] + 1 : scanner_->scalar_end(token_);
  }

  const JsonScanner* scanner_;
  uint32_t token_;
};

struct JsonCursor::Field {
  std::string_view key;
  JsonCursor value;
};

class JsonCursor::FieldRange {
 public:
  class Iterator {
   public:
    Iterator(const JsonScanner* scanner, uint32_t token, uint32_t end);
    const Field& operator*() const { return field_; }
    const Field* operator->() const { return &field_; }
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return token_ != other.token_; }
    Iterator(const Iterator&) = delete;
    Iterator& operator=(const Iterator&) = delete;

   private:
    void load();

    uint32_t token_;  // of the key; the closing bracket's at the end
    uint32_t end_;
    std::string unescaped_;
    Field field_;
  };
  FieldRange(const JsonScanner* scanner, uint32_t first, uint32_t end)
      : scanner_(scanner), first_(first), end_(end) {}
  Iterator begin() const { return {scanner_, first_, end_}; }
  Iterator end() const { return {scanner_, end_, end_}; }

 private:
  const JsonScanner* scanner_;
  uint32_t first_;
  uint32_t end_;
};

class JsonCursor::ElementRange {
 public:
  class Iterator {
   public:
    Iterator(const JsonScanner* scanner, uint32_t token, uint32_t end)
        : cursor_(scanner, token), end_(end) {}
    JsonCursor operator*() const { return cursor_; }
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return cursor_.token_ != other.cursor_.token_; }

   private:
    JsonCursor cursor_;
    uint32_t end_;
  };
  ElementRange(const JsonScanner* scanner, uint32_t first, uint32_t end)
      : scanner_(scanner), first_(first), end_(end) {}
  Iterator begin() const { return {scanner_, first_, end_}; }
  Iterator end() const { return {scanner_, end_, end_}; }

 private:
  const JsonScanner* scanner_;
  uint32_t first_;
  uint32_t end_;
};

// For callers without a scanner of their own; uses one per thread.
Status compact_json(std::string_view text, std::string& out);

}  // namespace pinpipe::codec
