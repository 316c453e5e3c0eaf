// A record of the v3 API: {"partition_id"?,"headers"?:[{"name","value":base64}],
// "key"?:{"type","data"},"value"?:{"type","data"},"timestamp"?:"RFC 3339"}, and what is answered.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/topics.h"
#include "codec/json.h"
#include "codec/json_scan.h"
#include "doors/rest/errors.h"

namespace pinpipe::rest {

struct V3Record {
  std::string id;  // of a batch's entry
  std::optional<Refusal> refusal;
  std::optional<broker::PartitionId> partition;
  std::optional<int64_t> timestamp_ms;
  std::string key_type, value_type;  // empty: there is none
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;

  // The views live as long as this.
  broker::RecordIn for_broker() const;
};

// `refusal` in it tells what is wrong.
V3Record read_v3_record(codec::JsonCursor object);

// The fields of one that was placed, without braces: for an answer's object.
void write_v3_placed(codec::JsonWriter& writer, const V3Record& record,
                     const broker::Placed& placed, std::string_view cluster,
                     std::string_view topic);
Refusal refusal_of_placed(const Error& error);

}  // namespace pinpipe::rest
