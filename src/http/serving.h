// What a connection needs to serve, whatever its protocol.
#pragma once

#include "http/message.h"
#include "http/request_metrics.h"
#include "http/server.h"
#include "io/scope.h"

namespace pinpipe::http {

struct Serving {
  const Server::Options& options;
  const Handler& handler;
  RequestMetrics* metrics;  // none for streams that are served by themselves
  io::Scope& owner;         // the connection runs in it alone: cancelled when its client hangs up
};

}  // namespace pinpipe::http
