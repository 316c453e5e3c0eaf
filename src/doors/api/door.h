// The program's own API on the console's port and on the local socket: every command of the command
// line is a call here, so that both do the same thing.
//   POST /api/v1/{noun}/{verb}   body: an object of arguments; answer:
//   {"columns":…,"rows":…,"notes":…} GET  /api/v1                 the calls there are GET  /livez
//   /readyz[?verbose]  /metrics
// Errors: {"error":{"code","message"}} with the status that belongs to the code.
// Who may: the local socket's file permission is authority; over TCP a call that writes needs the
// token ("Authorization: Bearer …"), reading calls need none on loopback.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "codec/json.h"
#include "http/message.h"
#include "http/router.h"

namespace pinpipe::api {

struct Call {
  std::string noun;  // empty for the daily verbs: POST /api/v1/status
  std::string verb;
  std::string summary;
  bool writes = false;
  std::function<io::Task<Result<codec::Json>>(codec::Json arguments)> run;
};

// The state of one part, for /readyz.
struct Readiness {
  bool ready = false;
  std::string reason;
};

class Door {
 public:
  struct Options {
    std::string token;
    std::vector<Call> calls;
    std::function<io::Task<std::map<std::string, Readiness>>()> readiness;
  };

  explicit Door(Options options);
  Door(const Door&) = delete;

  // Adds the door's routes; the router must not outlive the door.
  void add_routes(http::Router& router);

 private:
  io::Task<> call(const Call& which, http::Request& request, http::Response& response) const;
  bool may_write(const http::Request& request) const;
  void list_calls(http::Response& response) const;
  io::Task<> tell_readiness(http::Request& request, http::Response& response) const;

  Options options_;
};

// The HTTP status of an error of ours.
int status_of(Code code);

}  // namespace pinpipe::api
