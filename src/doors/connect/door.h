// Kafka Connect's REST API over sink::Connectors: what curl, confluent's and others' Connect
// clients and UIs speak.
//   GET  /                            GET|POST /connectors           GET|DELETE /connectors/{name}
//   GET|PUT|PATCH /connectors/{name}/config                          GET /connectors/{name}/status
//   PUT  /connectors/{name}/pause|resume|stop                        POST
//   /connectors/{name}/restart GET  /connectors/{name}/tasks, …/tasks/{id}/status, …/topics,
//   …/offsets; POST …/tasks/{id}/restart GET  /connector-plugins, …/{plugin}/config; PUT
//   …/{plugin}/config/validate; GET /health
// Promise: statuses, error bodies and field names are Connect's ({"error_code", "message"}); a
// configuration that cannot be kept is refused with every key's problem. What Connect can and we
// cannot (altering offsets, log levels) is 404 or 405, never a made-up success.
// Bounds: body_bytes_max.
#pragma once

#include <memory>
#include <string>

#include "http/message.h"
#include "http/router.h"
#include "http/server.h"
#include "sink/connectors.h"

namespace pinpipe::connect {

class Door {
 public:
  static constexpr uint64_t body_bytes_max = 1 << 20;

  struct Options {
    std::string version;
    std::string cluster_id;
    std::string plugin;  // the custom plugin's name, "<id>-plugin"; may be empty
    std::string worker = "127.0.0.1:8083";
  };

  Door(Options options, sink::Connectors& connectors);
  Door(const Door&) = delete;

  http::Handler handler() const { return router_.handler(); }
  // The listener's address, once it is known.
  void set_worker(std::string address) { options_.worker = std::move(address); }
  static http::BodyPlan plan_body(const http::Request&) { return {.bytes_max = body_bytes_max}; }
  // A refusal of the server's own, in Connect's shape.
  static void shape_refusal(const http::Request& request, http::Response& refusal);

 private:
  using Method = io::Task<Status> (Door::*)(http::Request&, http::Response&);
  void add(std::string_view method, std::string_view pattern, Method answer);
  void add_routes();

  io::Task<Status> tell_worker(http::Request& request, http::Response& response);
  io::Task<Status> list(http::Request& request, http::Response& response);
  io::Task<Status> create(http::Request& request, http::Response& response);
  io::Task<Status> tell(http::Request& request, http::Response& response);
  io::Task<Status> remove(http::Request& request, http::Response& response);
  io::Task<Status> tell_config(http::Request& request, http::Response& response);
  io::Task<Status> put_config(http::Request& request, http::Response& response);
  io::Task<Status> patch_config(http::Request& request, http::Response& response);
  io::Task<Status> tell_status(http::Request& request, http::Response& response);
  io::Task<Status> pause(http::Request& request, http::Response& response);
  io::Task<Status> resume(http::Request& request, http::Response& response);
  io::Task<Status> stop(http::Request& request, http::Response& response);
  io::Task<Status> restart(http::Request& request, http::Response& response);
  io::Task<Status> list_tasks(http::Request& request, http::Response& response);
  io::Task<Status> tell_tasks_config(http::Request& request, http::Response& response);
  io::Task<Status> tell_task(http::Request& request, http::Response& response);
  io::Task<Status> restart_task(http::Request& request, http::Response& response);
  io::Task<Status> tell_topics(http::Request& request, http::Response& response);
  io::Task<Status> tell_offsets(http::Request& request, http::Response& response);
  io::Task<Status> list_plugins(http::Request& request, http::Response& response);
  io::Task<Status> tell_plugin(http::Request& request, http::Response& response);
  io::Task<Status> validate(http::Request& request, http::Response& response);
  io::Task<Status> tell_health(http::Request& request, http::Response& response);

  io::Task<Status> want(http::Request& request, http::Response& response, std::string state,
                        int status);
  Status check_plugin(const std::string& plugin) const;

  Options options_;
  sink::Connectors& connectors_;
  http::Router router_;
};

}  // namespace pinpipe::connect
