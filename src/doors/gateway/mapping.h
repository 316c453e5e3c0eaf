// What the mapping templates of the "REST API as a Kinesis proxy" make of a request's body.
// exact: byte for byte what the templates do on AWS, traps included: a string in Data keeps its
// quotes, an object in records[].data becomes Java's text of a map, values are inserted raw.
// strict: what was meant: objects stay JSON, values are escaped, and what is missing is refused.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/json_scan.h"

namespace pinpipe::gateway {

enum class Profile { exact, strict };

// The body of a PutRecord. `invalid` with a sentence for the sender.
Result<std::string> put_record_body(std::string_view stream, codec::JsonCursor body,
                                    Profile profile);
// The body of a PutRecords. `is_encoded`: the sender has encoded the data in base64 itself, as the
// template for application/x-amz-json-1.1 expects.
Result<std::string> put_records_body(std::string_view stream, codec::JsonCursor body,
                                     bool is_encoded, Profile profile);
// The body of a CreateStream: five shards when the request does not say.
std::string create_stream_body(std::string_view stream, std::optional<codec::JsonCursor> body);

// {"StreamName":"…"}
std::string stream_name_body(std::string_view stream);

// Java's text of a value: {index=7528, tags=[a, b], at=null}
std::string java_text(codec::JsonCursor value);

}  // namespace pinpipe::gateway
