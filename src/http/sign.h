// AWS Signature Version 4 for requests that we send.
#pragma once

#include "auth/sigv4.h"
#include "base/clock.h"
#include "http/message.h"
#include "http/url.h"

namespace pinpipe::http {

struct Signing {
  auth::Credential credential;
  auth::SigningTarget target;  // region and service
  const Clock* clock = &system_clock();
};

// The header lines to send in addition, so that `request`, as it goes out to `to`, is signed: Host,
// all of its own headers and its body. A request that is sent later needs new ones.
auth::HeaderList signature_of(const Request& request, const Url& to, const Signing& signing);

}  // namespace pinpipe::http
