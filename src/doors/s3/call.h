// One request to the S3 door, taken apart, and how its answer fails.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/sigv4.h"
#include "codec/percent.h"
#include "http/message.h"
#include "objects/access.h"

namespace pinpipe::s3 {

// An S3 error: its code decides the status. `fields` are further elements of the XML.
struct Failure {
  std::string code;
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;
};
using Outcome = std::expected<void, Failure>;

inline std::unexpected<Failure> failure(std::string_view code, std::string_view message) {
  return std::unexpected(Failure{std::string(code), std::string(message), {}});
}

struct Call {
  http::Request& request;
  http::Response& response;
  std::string bucket;  // decoded; empty for the service itself
  std::string key;     // decoded; empty for the bucket itself
  std::vector<codec::QueryParameter> query;
  objects::Access store;
  std::string request_id;
  std::optional<auth::VerifiedRequest> verified;

  bool has(std::string_view parameter) const;
  std::string text(std::string_view parameter) const;  // empty when it is not there
  std::string_view header(std::string_view name) const;
};

int status_of(std::string_view code);
// Puts the failure into the answer; without a body for HEAD.
void answer_failure(Call& call, const Failure& failure);
// What an error of ours means for an object or, when the call has no key, for a bucket.
Failure failure_of(const Error& error, const Call& call);
// Likewise for an object that was not found: NoSuchBucket when it is the bucket that is missing.
io::Task<Outcome> object_failure(Call& call, Error error);
void answer_xml(Call& call, std::string xml);

}  // namespace pinpipe::s3
