#include "app/doors.h"

#include <fmt/format.h>
#include <unistd.h>

#include "app/house.h"
#include "app/snapshot.h"
#include "doors/api/door.h"
#include "doors/kafka/door.h"
#include "doors/rest/door.h"
#include "doors/web/door.h"
#include "http/server.h"

namespace pinpipe::app {

struct Doors::Parts {
  std::unique_ptr<kafka::Door> kafka;
  std::unique_ptr<broker::Topics> rest_topics;
  std::unique_ptr<rest::Door> rest;
  std::unique_ptr<http::Server> gateway;
  std::unique_ptr<api::Door> api;
  std::unique_ptr<web::Door> web;
  http::Router console_router;
  std::unique_ptr<http::Server> console;
};

namespace {

std::vector<api::Call> calls_of(House& house) {
  std::vector<api::Call> calls;
  for (const Operation& operation : operations()) {
    calls.push_back(
        {.noun = std::string(operation.noun),
         .verb = std::string(operation.verb),
         .summary = std::string(operation.summary),
         .writes = operation.writes,
         .run = [&house, &operation](codec::Json given) -> io::Task<Result<codec::Json>> {
           auto arguments = checked_arguments(operation.parameters, std::move(given));
           if (!arguments) co_return arguments.error();
           auto answer = co_await operation.run(house, std::move(*arguments));
           if (!answer) co_return answer.error();
           co_return to_json(*answer);
         }});
  }
  return calls;
}

Result<std::string> address_of(Result<uint16_t> got, uint16_t wanted, std::string_view name) {
  if (got) return fmt::format("127.0.0.1:{}", *got);
  if (got.error().code() != Code::conflict) return got.error();
  return Error(
      Code::conflict,
      fmt::format("port {} for {} is taken; end what uses it, set `ports: {{{}: …}}` in the "
                  "project, or let pinpipe choose: --ports auto",
                  wanted, name, name));
}

}  // namespace

Doors::Doors() : parts_(std::make_unique<Parts>()) {}
Doors::~Doors() = default;

Result<Endpoints> Doors::open(House& house, Options options) {
  const project::Ports& ports = house.project().ports;
  Endpoints at{.process_id = ::getpid(), .socket = house.directory().socket()};

  parts_->api = std::make_unique<api::Door>(api::Door::Options{
      .token = house.token(), .calls = calls_of(house), .readiness = [] {
        return std::map<std::string, api::Readiness>{{"house", {.ready = true, .reason = ""}}};
      }});
  parts_->web = std::make_unique<web::Door>(
      web::Door::Options{.snapshot = [&house] { return take_snapshot(house); }});
  parts_->api->add_routes(parts_->console_router);
  parts_->web->add_routes(parts_->console_router);
  parts_->console = std::make_unique<http::Server>(
      house.runtime(), http::Server::Options{.name = "console"}, parts_->console_router.handler());
  auto port_for = [&](uint16_t wanted) { return options.any_ports ? uint16_t{0} : wanted; };
  auto console = address_of(parts_->console->listen_tcp("localhost", port_for(ports.console)),
                            ports.console, "console");
  if (!console) return console.error();
  at.console = *console;
  if (Status local = parts_->console->listen_local(at.socket); !local) return local.error();

  parts_->kafka =
      std::make_unique<kafka::Door>(kafka::Door::Options{}, house.runtime(), house.broker());
  auto kafka =
      address_of(parts_->kafka->listen("localhost", port_for(ports.kafka)), ports.kafka, "kafka");
  if (!kafka) return kafka.error();
  at.kafka = *kafka;

  parts_->rest_topics = house.broker().as(auth::local_principal());
  parts_->rest = std::make_unique<rest::Door>(
      rest::Door::Options{}, [this](const http::Request&) -> Result<broker::Topics*> {
        return parts_->rest_topics.get();
      });
  parts_->gateway = std::make_unique<http::Server>(
      house.runtime(),
      http::Server::Options{
          .name = "gateway",
          .plan_body = [this](const http::Request& head) { return parts_->rest->plan_body(head); },
          .shape_refusal = rest::Door::shape_refusal},
      parts_->rest->handler());
  auto gateway = address_of(parts_->gateway->listen_tcp("localhost", port_for(ports.gateway)),
                            ports.gateway, "gateway");
  if (!gateway) return gateway.error();
  at.gateway = *gateway;

  parts_->gateway->start();
  parts_->kafka->start();
  parts_->console->start();
  return at;
}

void Doors::stop() {
  if (parts_->gateway) parts_->gateway->stop();
  if (parts_->kafka) parts_->kafka->stop();
  if (parts_->console) parts_->console->stop();
}

}  // namespace pinpipe::app
