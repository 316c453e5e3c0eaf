#include "app/doors.h"

#include <fmt/format.h>
#include <unistd.h>

#include "app/dag_jobs.h"
#include "app/health.h"
#include "app/house.h"
#include "app/rows_source.h"
#include "app/snapshot.h"
#include "base/log_line.h"
#include "broker/consumers.h"
#include "doors/airflow/door.h"
#include "doors/api/door.h"
#include "doors/api/guard.h"
#include "doors/connect/door.h"
#include "doors/databricks/door.h"
#include "doors/gateway/door.h"
#include "doors/kafka/door.h"
#include "doors/kinesis/door.h"
#include "doors/mysql/door.h"
#include "doors/rest/door.h"
#include "doors/s3/door.h"
#include "doors/web/door.h"
#include "http/server.h"
#include "io/scope.h"
#include "objects/access.h"
#include "objects/uploads.h"

namespace pinpipe::app {

struct Doors::Parts {
  std::unique_ptr<kafka::Door> kafka;
  std::unique_ptr<mysql::Door> mysql;

  std::shared_ptr<const auth::Credentials> credentials;
  std::unique_ptr<broker::Topics> rest_topics;
  std::unique_ptr<broker::Cluster> rest_cluster;
  std::unique_ptr<broker::Consumers> consumers;
  std::unique_ptr<io::Scope> consumers_scope;  // on loop 0
  std::unique_ptr<rest::Door> rest;
  std::unique_ptr<kinesis::Door> kinesis;
  std::unique_ptr<gateway::Door> gateway;
  std::unique_ptr<http::Server> gateway_server;

  std::unique_ptr<connect::Door> connect;
  std::unique_ptr<http::Server> connect_server;

  std::unique_ptr<objects::Objects> objects;
  std::unique_ptr<s3::Door> s3;
  std::unique_ptr<http::Server> aws_server;

  std::unique_ptr<api::Door> api;
  std::unique_ptr<airflow::Door> airflow;
  std::unique_ptr<databricks::Door> databricks;
  std::unique_ptr<web::Door> web;
  http::Router console_router;
  std::unique_ptr<http::Server> console_server;

  std::vector<std::unique_ptr<http::Server>> outside;
  std::map<std::string, std::string> outside_addresses;  // by door
  std::shared_ptr<const io::TlsContext> tls;             // once a door needs it
  bool any_ports = false;
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

uint64_t request_bytes_max(const project::Project& project) {
  return static_cast<uint64_t>(project.limits.request_bytes);
}

http::Server::Options server_options(const project::Project& project, std::string name) {
  return {.name = std::move(name),
          .body_bytes_max = request_bytes_max(project),
          .connections_max = static_cast<size_t>(project.limits.connections)};
}

gateway::Door::Options gateway_options(const project::Project& project) {
  const project::GatewaySettings& settings = project.gateway;
  return {.stages = settings.stages,
          .api_keys = settings.api_keys,
          .requests_per_second = settings.requests_per_second,
          .burst = settings.burst,
          .profile = settings.strict ? gateway::Profile::strict : gateway::Profile::exact,
          .direct_body_bytes_max = request_bytes_max(project)};
}

// Who signs with one of the project's keys may do all; without `auth: required` so may everybody.
Result<std::shared_ptr<const auth::Credentials>> credentials_of(
    const project::AccessSettings& access) {
  auto credentials = std::make_shared<auth::Credentials>();
  for (const auto& [key, secret] : access.secrets) {
    Status added = credentials->add({.access_key = key,
                                     .secret = secret,
                                     .session_token = "",
                                     .principal = auth::local_principal()});
    if (!added) return added.error().with("access key " + key);
  }
  return credentials;
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

std::string host_and_port(const std::string& address, uint16_t port) {
  bool is_v6 = address.find(':') != address.npos;
  return is_v6 ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}

}  // namespace

Doors::Doors() : parts_(std::make_unique<Parts>()) {}
Doors::~Doors() = default;

// The REST proxy's instances: members of the broker's groups that live as long as they are asked.
Status Doors::open_consumers(House& house) {
  Parts& p = *parts_;
  auto consumers =
      broker::Consumers::open({.state_path = house.directory().state() + "/consumers.db"},
                              house.broker(), house.runtime().disk(), system_clock());
  if (!consumers) return consumers.error();
  p.consumers = std::move(*consumers);
  io::Loop& loop = house.runtime().loop(0);
  p.consumers_scope = std::make_unique<io::Scope>(loop);
  loop.post([&p] { p.consumers_scope->spawn("consumers", p.consumers->run()); });
  return {};
}

// The REST proxy and the gateway share a port: app hands the gateway the proxy's handler, and the
// Kinesis door as a function.
Result<std::string> Doors::open_gateway(House& house, uint16_t port) {
  Parts& p = *parts_;
  p.rest_topics = house.broker().as(auth::local_principal());
  p.rest_cluster = house.broker().cluster_as(auth::local_principal());
  if (Status opened = open_consumers(house); !opened) return opened.error();
  p.rest = std::make_unique<rest::Door>(
      rest::Door::Options{.body_bytes_max = request_bytes_max(house.project())},
      [&p](const http::Request&) -> Result<broker::Topics*> { return p.rest_topics.get(); },
      rest::Door::Inside{.cluster_of = [&p](const http::Request&) -> Result<broker::Cluster*> {
                           return p.rest_cluster.get();
                         },
                         .consumers = p.consumers.get()});
  p.kinesis = std::make_unique<kinesis::Door>(
      kinesis::Door::Options{
          .account = house.project().account.id,
          .region = house.project().account.region,
          .credentials = house.project().access.required ? p.credentials.get() : nullptr},
      house.streams(), system_clock());
  auto call_kinesis = [&p](std::string action,
                           std::string body) -> io::Task<gateway::KinesisAnswer> {
    kinesis::Answer answer = co_await p.kinesis->call(std::move(action), std::move(body));
    co_return gateway::KinesisAnswer{.status = answer.status, .body = std::move(answer.body)};
  };
  p.gateway = std::make_unique<gateway::Door>(
      gateway_options(house.project()),
      gateway::Door::Behind{
          .rest = p.rest->handler(),
          .kinesis = call_kinesis,
          .plan_rest_body = [&p](const http::Request& head) { return p.rest->plan_body(head); },
          .shape_refusal = rest::Door::shape_refusal});
  http::Server::Options options = server_options(house.project(), "gateway");
  options.plan_body = [&p](const http::Request& head) { return p.gateway->plan_body(head); };
  options.shape_refusal = [&p](const http::Request& head, http::Response& refusal) {
    p.gateway->shape_refusal(head, refusal);
  };
  return listen(house, "gateway", port, p.gateway_server, std::move(options), p.gateway->handler());
}

Result<std::string> Doors::open_connect(House& house, uint16_t port) {
  Parts& p = *parts_;
  p.connect = std::make_unique<connect::Door>(
      connect::Door::Options{
          .version = PINPIPE_VERSION,
          .cluster_id = house.broker().cluster_as(auth::local_principal())->cluster_id(),
          .plugin = house.user_id() + "-plugin"},
      house.connectors());
  http::Server::Options options = server_options(house.project(), "connect");
  options.plan_body = connect::Door::plan_body;
  options.shape_refusal = connect::Door::shape_refusal;
  auto address =
      listen(house, "connect", port, p.connect_server, std::move(options), p.connect->handler());
  if (address) p.connect->set_worker(*address);
  return address;
}

// Kinesis and S3 share a port, told apart as on AWS's clients' side: by X-Amz-Target.
Result<std::string> Doors::open_aws(House& house, uint16_t port) {
  Parts& p = *parts_;
  auto policy = std::make_shared<const auth::Policy>(auth::Policy::open_for_local());
  p.objects = std::make_unique<objects::Objects>(house.buckets(), [policy] { return policy; });
  p.s3 =
      std::make_unique<s3::Door>(s3::Door::Parts{.objects = *p.objects,
                                                 .uploads = house.uploads(),
                                                 .credentials = [&p] { return p.credentials; },
                                                 .disk = house.runtime().disk()},
                                 s3::Door::Options{.auth_required = house.project().access.required,
                                                   .region = house.project().account.region});
  auto handler = [&p](http::Request& request, http::Response& response) -> io::Task<> {
    if (kinesis::Door::is_mine(request)) return p.kinesis->handle(request, response);
    return p.s3->handle(request, response);
  };
  auto plan = [](const http::Request& head) {
    if (kinesis::Door::is_mine(head)) return http::BodyPlan{.bytes_max = kinesis::body_bytes_max};
    return s3::Door::plan_body(head);
  };
  // A bucket may be a label of the host name, so the hosts are many; the signature names the key.
  http::Server::Options options = server_options(house.project(), "aws");
  options.plan_body = plan;
  return listen(house, "aws", port, p.aws_server, std::move(options), handler);
}

Result<std::string> Doors::open_console(House& house, uint16_t port) {
  Parts& p = *parts_;
  p.api = std::make_unique<api::Door>(api::Door::Options{
      .token = house.token(),
      .calls = calls_of(house),
      .readiness = [&house]() -> io::Task<std::map<std::string, api::Readiness>> {
        std::map<std::string, api::Readiness> all{{"house", {.ready = true, .reason = ""}}};
        for (const PartHealth& part : co_await look_at_parts(house))
          all[part.part] = {.ready = !part.behind, .reason = part.behind ? part.note : ""};
        co_return all;
      }});
  p.airflow =
      std::make_unique<airflow::Door>(airflow::Door::Options{.scheduler = &house.scheduler(),
                                                             .clock = &system_clock(),
                                                             .token = house.token(),
                                                             .version = PINPIPE_VERSION});
  p.web = std::make_unique<web::Door>(
      web::Door::Options{.snapshot = [&house] { return take_snapshot(house); }});
  p.databricks = std::make_unique<databricks::Door>(
      databricks::Door::Options{.scheduler = &house.scheduler(),
                                .notebooks = notebook_jobs(house.project()),
                                .token = house.token()});
  p.databricks->add_routes(p.console_router);
  p.api->add_routes(p.console_router);
  p.airflow->add_routes(p.console_router);
  p.web->add_routes(p.console_router);
  auto address = listen(house, "console", port, p.console_server,
                        server_options(house.project(), "console"), p.console_router.handler());
  if (!address) return address;
  if (Status local = p.console_server->listen_local(house.directory().socket()); !local)
    return local.error();
  return address;
}

// The users are the project's access keys where it demands one of them, and anybody otherwise.
Result<std::string> Doors::open_mysql(House& house, uint16_t port) {
  const project::Project& project = house.project();
  mysql::Door::Options options{.connections_max = static_cast<size_t>(project.limits.connections)};
  if (project.access.required) {
    options.logins = project.access.secrets;
    options.any_login_on_loopback = false;
  }
  parts_->mysql = std::make_unique<mysql::Door>(std::move(options), house.runtime(), [&house] {
    return embedded_source_file(house.project(), house.directory().path());
  });
  return address_of(parts_->mysql->listen("localhost", port), port, "mysql");
}

Result<std::string> Doors::listen(House& house, std::string_view door, uint16_t port,
                                  std::unique_ptr<http::Server>& near,
                                  http::Server::Options options, http::Handler handler) {
  near = std::make_unique<http::Server>(house.runtime(), options, handler);
  auto address = address_of(near->listen_tcp("localhost", port), port, door);
  if (!address) return address;
  Status outside = listen_outside(house, door, std::move(options), std::move(handler));
  if (!outside) return outside.error();
  return address;
}

// Read once, when the first door needs it. A relative path is the project's.
Result<std::shared_ptr<const io::TlsContext>> Doors::tls(const project::Project& project) {
  if (parts_->tls) return parts_->tls;
  auto path = [&](const std::string& file) {
    return file.starts_with('/') ? file : project.origin + "/" + file;
  };
  auto context =
      io::TlsContext::for_server({.certificate_file = path(project.listen.certificate_file),
                                  .key_file = path(project.listen.key_file),
                                  .protocols = http::protocols});
  if (context) parts_->tls = *context;
  return context;
}

Status Doors::listen_outside(House& house, std::string_view door, http::Server::Options options,
                             http::Handler handler) {
  const project::ListenSettings& listen = house.project().listen;
  auto found = listen.doors.find(std::string(door));
  if (found == listen.doors.end()) return {};
  const project::Listener& at = found->second;
  bool is_open = listen.is_unprotected(door);
  if (!is_open) {
    auto context = tls(house.project());
    if (!context) return context.error().with("tls");
    options.tls = *context;
    if (door == "console") handler = api::guarded_by_token(std::move(handler), house.token());
  }
  // Who comes by a name that nobody told us is let in all the same: the door asks who it is.
  options.hosts = listen.hosts.empty() ? std::vector<std::string>{"*"} : listen.hosts;
  auto server = std::make_unique<http::Server>(house.runtime(), std::move(options), handler);
  auto port = server->listen_tcp(at.address, parts_->any_ports ? uint16_t{0} : at.port);
  if (!port) return port.error().with(fmt::format("listen: {}", door));
  parts_->outside.push_back(std::move(server));
  parts_->outside_addresses[std::string(door)] =
      fmt::format("{}://{}", is_open ? "http" : "https", host_and_port(at.address, *port));
  return {};
}

// Of a door that is no HTTP server: the project has called it unprotected.
template <class Door>
Status Doors::listen_outside_plainly(House& house, std::string_view name, Door& door) {
  const auto& doors = house.project().listen.doors;
  auto found = doors.find(std::string(name));
  if (found == doors.end()) return {};
  const project::Listener& at = found->second;
  auto port = door.listen(at.address, parts_->any_ports ? uint16_t{0} : at.port);
  if (!port) return port.error().with(fmt::format("listen: {}", name));
  parts_->outside_addresses[std::string(name)] = host_and_port(at.address, *port);
  return {};
}

Result<Endpoints> Doors::open(House& house, Options options) {
  const project::Ports& ports = house.project().ports;
  auto port_for = [&](uint16_t wanted) { return options.any_ports ? uint16_t{0} : wanted; };
  parts_->any_ports = options.any_ports;
  Endpoints at{.process_id = ::getpid(), .socket = house.directory().socket()};

  auto credentials = credentials_of(house.project().access);
  if (!credentials) return credentials.error();
  parts_->credentials = std::move(*credentials);
  parts_->kafka = std::make_unique<kafka::Door>(
      kafka::Door::Options{.connections_max =
                               static_cast<size_t>(house.project().limits.connections)},
      house.runtime(), house.broker());
  auto kafka =
      address_of(parts_->kafka->listen("localhost", port_for(ports.kafka)), ports.kafka, "kafka");
  if (!kafka) return kafka.error();
  if (Status outside = listen_outside_plainly(house, "kafka", *parts_->kafka); !outside)
    return outside.error();
  at.kafka = *kafka;
  auto gateway = open_gateway(house, port_for(ports.gateway));
  if (!gateway) return gateway.error();
  at.gateway = *gateway;
  auto connect = open_connect(house, port_for(ports.connect));
  if (!connect) return connect.error();
  at.connect = *connect;
  auto aws = open_aws(house, port_for(ports.aws));
  if (!aws) return aws.error();
  at.aws = *aws;
  auto console = open_console(house, port_for(ports.console));
  if (!console) return console.error();
  at.console = *console;

  auto mysql = open_mysql(house, port_for(ports.mysql));
  if (!mysql) return mysql.error();
  if (Status outside = listen_outside_plainly(house, "mysql", *parts_->mysql); !outside)
    return outside.error();
  at.mysql = *mysql;
  at.outside = parts_->outside_addresses;

  // All listen: nobody is let in before everybody is there.
  parts_->kafka->start();
  parts_->mysql->start();
  parts_->gateway_server->start();
  parts_->connect_server->start();
  parts_->aws_server->start();
  parts_->console_server->start();
  for (auto& server : parts_->outside) server->start();
  return at;
}

void Doors::stop() {
  for (auto& server : parts_->outside) server->stop();
  if (parts_->console_server) parts_->console_server->stop();
  if (parts_->aws_server) parts_->aws_server->stop();
  if (parts_->connect_server) parts_->connect_server->stop();
  if (parts_->gateway_server) parts_->gateway_server->stop();
  if (parts_->consumers_scope) {
    io::Loop& loop = parts_->consumers_scope->loop();
    io::run_on(loop, [](io::Scope& scope) -> io::Task<> {
      scope.cancel();
      co_await scope.join();
    }(*parts_->consumers_scope));
    parts_->consumers_scope.reset();
    if (Status saved = io::wait_on(loop, parts_->consumers->close()); !saved)
      log_warn("app", "consumers' positions were not saved", {{"reason", saved.error().text()}});
  }
  if (parts_->mysql) parts_->mysql->stop();
  if (parts_->kafka) parts_->kafka->stop();
}

}  // namespace pinpipe::app
