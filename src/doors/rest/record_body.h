// The body of a v2 produce request as records for the broker.
//   {"records":[{"key":…,"value":…,"partition":0,"headers":[{"key":"k","value":"<base64>"}],
//                "timestamp":1700000000000}]}
// Values in JSON are cut out of the request where they are compact already and otherwise made so
// (whitespace dropped, raw UTF-8, key order and spelling of numbers kept). `headers` and
// `timestamp` are ours; the original has neither. Promise: once warm, reading a body of JSON
// records without headers allocates nothing. Bounds: records_max; kept_bytes_max of buffers between
// requests.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/topics.h"
#include "codec/json_scan.h"
#include "doors/rest/errors.h"
#include "doors/rest/media.h"

namespace pinpipe::rest {

class RecordBody {
 public:
  static constexpr size_t records_max = 1'000'000;
  static constexpr size_t kept_bytes_max = 1 << 20;
  static constexpr size_t kept_records_max = 10'000;

  // `body` must outlive the records' use. `partition` is the path's, which records may then not
  // have themselves.
  std::optional<Refusal> read(std::string_view body, Embedded format,
                              std::optional<broker::PartitionId> partition);
  std::span<const broker::RecordIn> records() const { return {records_.data(), count_}; }

  // Gives every record one more header. The views must outlive the records' use.
  void add_header(std::string_view key, std::string_view value);
  // Ends the use of the records and gives back large buffers.
  void clear();

 private:
  std::optional<Refusal> read_records(codec::JsonCursor list);
  std::optional<Refusal> read_record(codec::JsonCursor one);
  std::optional<Refusal> read_embedded(codec::JsonCursor value,
                                       std::optional<std::string_view>& into);
  std::optional<Refusal> read_base64(codec::JsonCursor value,
                                     std::optional<std::string_view>& into);
  std::optional<Refusal> read_partition(codec::JsonCursor value, broker::RecordIn& into);
  std::optional<Refusal> read_timestamp(codec::JsonCursor value, broker::RecordIn& into);
  std::optional<Refusal> read_headers(codec::JsonCursor list, broker::RecordIn& into);
  broker::RecordIn& append();

  codec::JsonScanner scanner_;
  std::vector<broker::RecordIn> records_;  // those beyond count_ keep their buffers for reuse
  size_t count_ = 0;
  std::string spelled_;  // what had to be rewritten; never grows while views into it exist
  std::string scratch_;
  Embedded format_ = Embedded::json;
  std::optional<broker::PartitionId> partition_;
};

}  // namespace pinpipe::rest
