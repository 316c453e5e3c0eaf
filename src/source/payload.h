// Rows as the request bodies that the public scripts send.
//   batch   POST …/topics/<topic>            {"records": [{"value": {row}}]}
//   stream  PUT  …/streams/<stream>/record   {"StreamName": …, "Data": {row}, "PartitionKey": …}
// Everything is appended, nothing else is allocated once `to` has capacity.
#pragma once

#include <string>
#include <string_view>

#include "source/datetime.h"
#include "source/row.h"

namespace pinpipe::source {

enum class Spelling : uint8_t {
  python,   // json.dumps: ", " and ": ", non-ASCII as \uXXXX
  compact,  // no blanks, non-ASCII as it is
};

struct PayloadStyle {
  DatetimeStyle datetime = DatetimeStyle::blank;
  Spelling spelling = Spelling::python;
};

// The row as one JSON object, its columns in order.
void append_row(std::string& to, const Row& row, PayloadStyle style);
void append_rest_body(std::string& to, const Row& row, PayloadStyle style);
struct StreamPost {
  std::string_view stream;
  std::string_view partition_key;
};
void append_stream_body(std::string& to, const Row& row, const StreamPost& post,
                        PayloadStyle style);

// `text` as a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
void append_string(std::string& to, std::string_view text, Spelling spelling);

}  // namespace pinpipe::source
