// A record as text: in JSON, as /api/v1 and the command line's -o json show it, and by a format in
// the words of kcat's -f.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/json.h"

namespace pinpipe::app {

using RecordBytes = std::optional<std::string>;  // nothing: null

struct TextRecord {
  std::string topic;
  int32_t partition = -1;
  int64_t offset = -1;
  int64_t timestamp_ms = -1;
  RecordBytes key;
  RecordBytes value;
  std::vector<std::pair<std::string, RecordBytes>> headers;
};

// A string; {"base64":"…"} for bytes that are no UTF-8, or for all when asked; null.
codec::Json cell_of(std::optional<std::string_view> bytes, bool always_base64 = false);
// The other way round. Any other JSON is its own text.
Result<RecordBytes> bytes_of(const codec::Json& cell);

// [{"key":…,"value":…}] ⇄ headers; an object {"name": value} is read likewise.
codec::Json headers_cell(const std::vector<std::pair<std::string, RecordBytes>>& headers,
                         bool always_base64 = false);
Result<std::vector<std::pair<std::string, RecordBytes>>> headers_of(const codec::Json& cell);

// {"key":…,"value":…,"headers":…,"partition":…,"timestamp":milliseconds or "time":RFC 3339}, each
// of which may be absent; what topic consume says besides (offset, topic) is not looked at.
Result<TextRecord> record_of(const codec::Json& json);

// %s value, %k key, %h headers (a=1,b=2), %t topic, %p partition, %o offset, %T time in
// milliseconds, %S and %K the lengths of value and key (-1 for none), %R the value's length as four
// bytes, %%;
// \n \r \t \0 \\ \xHH.
class RecordFormat {
 public:
  static Result<RecordFormat> parse(std::string_view format);

  // `nothing` stands for a null key or value.
  void append(std::string& out, const TextRecord& record, std::string_view nothing) const;

 private:
  struct Piece {
    char verb = '\0';  // or plain text
    std::string text;
  };
  std::vector<Piece> pieces_;
};

// "\n", "\t", "\x00" … as in a format, without verbs.
Result<std::string> unescape(std::string_view text);

}  // namespace pinpipe::app
