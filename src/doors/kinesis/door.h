// The Kinesis API over JSON 1.1 and CBOR 1.1: POST with X-Amz-Target: Kinesis_20131202.<Action>, as
// AWS SDKs send it; each is answered in its own form. Checks come in AWS's own order: method, body,
// content type, JSON, action, signature present and well formed (and right, when credentials are
// configured), types, constraints, meaning.
//
//   request ─► handle() ─► action table ─► broker::StreamAccess
//   gateway ─► call()  ───┘
//
// Bounds: body_bytes_max, which the listener enforces.
#pragma once

#include <string>
#include <string_view>

#include "auth/credentials.h"
#include "auth/principal.h"
#include "base/clock.h"
#include "broker/streams.h"
#include "doors/kinesis/failure.h"
#include "doors/kinesis/members.h"
#include "http/message.h"
#include "io/task.h"

namespace pinpipe::kinesis {

// 10 MiB of records in base64 and their frame.
inline constexpr uint64_t body_bytes_max = 16 << 20;
inline constexpr std::string_view target_prefix = "Kinesis_20131202.";

struct Answer {
  int status = 200;
  std::string body;        // in the request's form, or empty
  std::string error_type;  // "ResourceNotFoundException"; empty when all went well
  EventSource events{};    // instead of the body, when there is one
};

class Door {
 public:
  struct Options {
    std::string account = "000000000000";
    std::string region = "us-east-1";  // where the request does not say one
    // Signatures are verified against these. Without it any signature will do, and who asks is
    // `principal`.
    const auth::Credentials* credentials = nullptr;
    auth::Principal principal = auth::local_principal();
  };

  // Both outlive the door.
  Door(Options options, broker::Streams& streams, const Clock& clock);

  // Whether a request on a shared port is for this door.
  static bool is_mine(const http::Request& request);
  io::Task<> handle(http::Request& request, http::Response& response) const;
  http::Handler handler() const;

  // One action with its JSON, for whoever has checked the asker already.
  io::Task<Answer> call(std::string action, std::string json_body) const;

 private:
  struct Asker {
    auth::Principal principal;
    std::string region;
  };
  io::Task<Answer> run(std::string_view action, std::string_view body, Form form,
                       Asker asker) const;
  // Fills in who asks, or tells why that is not known.
  std::optional<Failure> identify(const http::Request& request, Asker& asker) const;

  Options options_;
  broker::Streams& streams_;
  const Clock& clock_;
};

}  // namespace pinpipe::kinesis
