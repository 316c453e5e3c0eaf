// The console: one page, compiled into the program, over the documented API, and one stream of
// server-sent events with the state of the pipeline.
// Promise: nothing is fetched from elsewhere (Content-Security-Policy default-src 'self').
// Bounds: one snapshot a second per open page.
#pragma once

#include <functional>

#include "base/clock.h"
#include "codec/json.h"
#include "http/router.h"

namespace pinpipe::web {

class Door {
 public:
  struct Options {
    // What the page shows now. Called on a loop; must not block.
    std::function<io::Task<codec::Json>()> snapshot;
    Millis period{1000};
  };

  explicit Door(Options options);
  Door(const Door&) = delete;

  // Adds the door's routes; the router must not outlive the door.
  void add_routes(http::Router& router);

 private:
  io::Task<Status> send_events(http::BodyWriter& writer) const;

  Options options_;
};

}  // namespace pinpipe::web
