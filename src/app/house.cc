#include "app/house.h"

#include <fmt/format.h>
#include <set>
#include <unistd.h>

#include "app/dag_folder.h"
#include "app/dag_jobs.h"
#include "app/doors.h"
#include "app/key_table.h"
#include "app/object_stores.h"
#include "app/run_notices.h"
#include "app/upkeep.h"
#include "auth/policy.h"
#include "base/bytes.h"
#include "base/id.h"
#include "base/log_line.h"
#include "broker/broker.h"
#include "doors/databricks/door.h"
#include "http/server.h"
#include "io/scope.h"
#include "jobs/trace.h"
#include "scheduler/time_zone.h"
#include "sink/connectors.h"

namespace pinpipe::app {

// In the order of building; destroyed in the reverse one.
struct House::Parts {
  Options options;
  std::optional<DataDirectory> directory;
  project::Project project;
  std::string user_id;
  std::string token;
  io::Runtime runtime;
  std::unique_ptr<broker::Broker> broker;
  std::unique_ptr<broker::Topics> topics;
  std::unique_ptr<broker::Streams> streams;
  ObjectStores stores;
  std::unique_ptr<lake::Services> lake;
  std::unique_ptr<state::Database> jobs_state;
  std::unique_ptr<jobs::Batch> batch;
  std::unique_ptr<jobs::Questions> questions;
  std::unique_ptr<jobs::Tracer> tracer;
  std::unique_ptr<broker::Topics> stream_topics;
  std::unique_ptr<state::Database> stream_state;
  std::unique_ptr<jobs::StreamJob> stream_job;  // on loop 0
  std::unique_ptr<broker::Topics> sink_topics;
  std::unique_ptr<sink::Connectors> connectors;     // on loop 0
  std::unique_ptr<DagFolder> dag_folder;            // on loop 0
  std::unique_ptr<RunNotices> notices;              // on loop 0
  std::unique_ptr<scheduler::Scheduler> scheduler;  // on loop 0
  std::unique_ptr<io::Scope> services;              // on loop 0
  Doors doors;
  Endpoints endpoints;
  bool serving = false;

  explicit Parts(Options wanted) : options(std::move(wanted)) {}
  Status open_stores();
  void open_questions();
  Status provision();
  Status provision_stream(const std::string& stream);
  Status provision_topic(const std::string& topic);
  Status open_stream_job();
  Status open_connectors();
  Status declare_connectors();
  Status open_scheduler();
  Status start_services();
  void start_without_doors(bool working);
  void stop();
};

namespace {

sql::Engine::Options engine_options(const project::Limits& limits, const DataDirectory& directory) {
  return {.role = sql::Role::jobs,
          .threads = limits.sql_threads,
          .memory_bytes = static_cast<uint64_t>(limits.sql_memory_bytes),
          .temp_bytes_max = static_cast<uint64_t>(limits.sql_disk_bytes),
          .temp_root = directory.tmp(),
          .readable_directories = {}};
}

// Kafka's names for what the project says of a topic.
broker::ConfigMap configs_of(const project::TopicSettings& topic,
                             const project::BrokerSettings& broker) {
  constexpr std::string_view sync[] = {"always", "interval", "os"};
  return {{"fsync", std::string(sync[static_cast<size_t>(topic.fsync)])},
          {"flush.ms", std::to_string(broker.fsync_interval_ms)},
          {"retention.ms", std::to_string(topic.retention_ms)},
          {"retention.bytes", std::to_string(topic.retention_bytes)}};
}

// How long a query of live.x waits for a record that it cannot read to be set aside.
constexpr Millis live_wait{5'000};

// The session keeps its engine alive; when it goes, the engine's memory goes too.
Result<std::unique_ptr<sql::Connection>> open_session(const sql::Engine::Options& options) {
  auto engine = sql::Engine::open(options);
  if (!engine) return engine.error();
  return (*engine)->connect();
}

}  // namespace

Status House::Parts::open_stores() {
  auto opened_broker = broker::Broker::open(
      {
          .log_directory = directory->log(),
          .state_path = directory->state() + "/broker.db",
          .auto_create = project.broker.auto_create_topics,
          .partitions_standard = project.broker.topic_defaults.partitions,
          .configs_standard = configs_of(project.broker.topic_defaults, project.broker),
      },
      io::posix_files(), runtime.disk(), system_clock(), auth::Policy::open_for_local());
  if (!opened_broker) return opened_broker.error();
  broker = std::move(*opened_broker);
  topics = broker->as(auth::service_principal("pinpipe"));

  auto opened_streams = broker::Streams::open(
      {.state_path = directory->state() + "/streams.db", .aws_limits = project.limits.aws_streams},
      *broker, runtime.disk(), system_clock());
  if (!opened_streams) return opened_streams.error();
  streams = std::move(*opened_streams);

  auto first_key = [this](const std::string& table) {
    return first_key_of(table, directory->tmp());
  };
  auto opened_stores = open_object_stores({.project = project,
                                           .directory = *directory,
                                           .user_bucket = fmt::format("user-{}-bucket", user_id),
                                           .lake_bucket = House::lake_bucket,
                                           .credential_table = first_key},
                                          runtime);
  if (!opened_stores) return opened_stores.error();
  stores = std::move(*opened_stores);
  lake = std::make_unique<lake::Services>(
      *stores.lake, runtime.work(), system_clock(),
      [options = engine_options(project.limits, *directory)] { return open_session(options); });

  auto opened_state =
      state::Database::open(directory->state() + "/jobs.db", jobs::BatchRecords::migrations());
  if (!opened_state) return opened_state.error();
  jobs_state = std::move(*opened_state);
  batch = std::make_unique<jobs::Batch>(
      jobs::Batch::Options{.project = &project,
                           .store = stores.buckets.get(),
                           .work = &runtime.work(),
                           .clock = &system_clock(),
                           .state = jobs_state.get(),
                           .engine = engine_options(project.limits, *directory),
                           .lake = lake.get(),
                           .lake_bucket = House::lake_bucket});
  open_questions();
  return {};
}

void House::Parts::open_questions() {
  sql::Engine::Options engine = engine_options(project.limits, *directory);
  engine.role = sql::Role::user;
  engine.readable_directories = {directory->lake(), directory->buckets()};
  auto find_stream = [this](const std::string& name) {
    return streams->as(auth::service_principal("pinpipe")).find(name);
  };
  auto find_live = [this](std::string dataset) { return stream_job->live(std::move(dataset)); };
  auto catch_up_live = [this]() -> io::Task<> {
    (void)co_await stream_job->drain(io::after(live_wait));
  };
  questions =
      std::make_unique<jobs::Questions>(jobs::Questions::Options{.project = &project,
                                                                 .batch = batch.get(),
                                                                 .store = stores.buckets.get(),
                                                                 .topics = topics.get(),
                                                                 .find_stream = find_stream,
                                                                 .find_live = find_live,
                                                                 .catch_up_live = catch_up_live,
                                                                 .lake = lake.get(),
                                                                 .lake_bucket = House::lake_bucket,
                                                                 .loop = &runtime.loop(0),
                                                                 .work = &runtime.work(),
                                                                 .clock = &system_clock(),
                                                                 .engine = std::move(engine)});
  tracer = std::make_unique<jobs::Tracer>(
      jobs::Tracer::Options{.project = &project,
                            .topics = topics.get(),
                            .find_stream = find_stream,
                            .store = stores.buckets.get(),
                            .connectors = [this]() -> io::Task<std::vector<std::string>> {
                              std::vector<std::string> names;
                              for (sink::SinkStatus& one : co_await connectors->statuses())
                                names.push_back(one.name);
                              co_return names;
                            },
                            .batch = batch.get(),
                            .lake = lake.get(),
                            .lake_bucket = House::lake_bucket,
                            .work = &runtime.work(),
                            .engine = engine_options(project.limits, *directory)});
}

// The DAGs of files that were put into the bucket are there before the runs that an earlier process
// left: these belong to them.
Status House::Parts::open_scheduler() {
  dag_folder = std::make_unique<DagFolder>(
      *stores.buckets, notebook_jobs(project),
      project.objects.is_remote ? DagFolder::remote_poll_wait : DagFolder::poll_wait);
  auto files = io::wait_on(runtime.loop(0), dag_folder->read_all());
  if (!files) return files.error();
  std::vector<project::DagSpec> dags;
  if (!options.course) dags = project.dags;
  dags.push_back(databricks::dag_of_submitted_runs());
  auto opened = scheduler::Scheduler::open(directory->state() + "/scheduler.db",
                                           {.loop = runtime.loop(0),
                                            .disk = runtime.disk(),
                                            .files = io::posix_files(),
                                            .clock = system_clock(),
                                            .pools = project.pools},
                                           dags, std::move(*files));
  if (!opened) return opened.error();
  scheduler = std::move(*opened);
  register_jobs(*scheduler, *batch, project);
  notices = std::make_unique<RunNotices>();
  scheduler->set_teller([this](scheduler::Told told) { return notices->tell(std::move(told)); });
  return {};
}

Status House::Parts::provision_stream(const std::string& stream) {
  broker::StreamAccess access = streams->as(auth::service_principal("pinpipe"));
  if (access.find(stream)) return {};
  auto own = project.broker.streams.find(stream);
  const project::StreamSettings& settings =
      own == project.broker.streams.end() ? project.broker.stream_defaults : own->second;
  auto made = io::wait_on(runtime.loop(0),
                          access.create({.name = stream, .shards = settings.shards, .tags = {}}));
  if (!made) return made.error();
  return io::wait_on(runtime.loop(0),
                     access.set_retention(*made, settings.retention_hours * int64_t{3'600'000}));
}

Status House::Parts::provision_topic(const std::string& topic) {
  if (topics->find(topic)) return {};
  auto own = project.broker.topics.find(topic);
  bool is_own = own != project.broker.topics.end();
  const project::TopicSettings& settings = is_own ? own->second : project.broker.topic_defaults;
  auto made = io::wait_on(runtime.loop(0),
                          topics->create({.name = topic,
                                          .partitions = settings.partitions,
                                          .configs = is_own ? configs_of(settings, project.broker)
                                                            : broker::ConfigMap{}}));
  return made ? Status{} : Status(made.error());
}

// What the project names and is not there yet. What is there stays as it is.
Status House::Parts::provision() {
  for (const std::string& bucket : project.buckets) {
    Status made = io::wait_on(runtime.loop(0), stores.buckets->create_bucket(bucket));
    if (!made && made.error().code() != Code::conflict) return made;
  }
  if (options.course) return {};
  std::set<std::string> topics_wanted;
  std::set<std::string> streams_wanted;
  for (const project::Dataset& dataset : project.datasets) {
    if (!dataset.stream.empty()) streams_wanted.insert(dataset.stream);
    if (!dataset.topic.empty()) topics_wanted.insert(dataset.topic);
  }
  if (!project.shared_stream.empty()) streams_wanted.insert(project.shared_stream);
  for (const auto& [topic, settings] : project.broker.topics) topics_wanted.insert(topic);
  for (const auto& [stream, settings] : project.broker.streams) streams_wanted.insert(stream);
  for (const std::string& stream : streams_wanted) {
    if (Status made = provision_stream(stream); !made) return made.error().with("stream " + stream);
  }
  for (const std::string& topic : topics_wanted) {
    if (Status made = provision_topic(topic); !made) return made.error().with("topic " + topic);
  }
  return {};
}

Status House::Parts::open_stream_job() {
  auto opened =
      state::Database::open(directory->state() + "/stream_job.db", jobs::StreamJob::migrations());
  if (!opened) return opened.error();
  stream_state = std::move(*opened);
  stream_topics = broker->as(auth::service_principal("stream-job"));
  stream_job = std::make_unique<jobs::StreamJob>(
      jobs::StreamJob::Options{.project = &project,
                               .topics = stream_topics.get(),
                               .lake = lake.get(),
                               .lake_bucket = House::lake_bucket,
                               .loop = &runtime.loop(0),
                               .clock = &system_clock(),
                               .engine = engine_options(project.limits, *directory),
                               .state = stream_state.get(),
                               .follows = options.doors});
  return {};
}

Status House::Parts::open_connectors() {
  sink_topics = broker->as(auth::service_principal("connect"));
  auto zones = [](const std::string& name) -> Result<sink::ZoneOffset> {
    auto zone = scheduler::TimeZone::find(io::posix_files(), name);
    if (!zone) return zone.error();
    return sink::ZoneOffset(
        [found = std::move(*zone)](int64_t instant) { return found.offset_at(instant); });
  };
  auto opened =
      sink::Connectors::open(directory->state() + "/sink.db", {.topics = *sink_topics,
                                                               .objects = *stores.buckets,
                                                               .disk = runtime.disk(),
                                                               .loop = runtime.loop(0),
                                                               .clock = system_clock(),
                                                               .zones = zones,
                                                               .plugin = user_id + "-plugin"});
  if (!opened) return opened.error();
  connectors = std::move(*opened);
  return {};
}

Status House::Parts::declare_connectors() {
  if (options.course) return {};
  for (const project::Connector& connector : project.connectors) {
    if (Status done = connectors->declare(connector.name, connector.config); !done) return done;
  }
  return {};
}

Status House::Parts::start_services() {
  if (Status declared = declare_connectors(); !declared) return declared;
  services = std::make_unique<io::Scope>(runtime.loop(0));
  runtime.loop(0).post([this] {
    services->spawn("broker", broker->run());
    services->spawn("abandoned uploads", sweep_uploads(*stores.uploads));
    services->spawn("scheduler", scheduler->run());
    services->spawn("dag folder", dag_folder->watch(*scheduler));
    services->spawn("stream job", stream_job->run());
    services->spawn("questions", questions->run());
  });
  io::run_on(runtime.loop(0), connectors->start());
  return {};
}

void House::Parts::start_without_doors(bool working) {
  services = std::make_unique<io::Scope>(runtime.loop(0));
  runtime.loop(0).post([this, working] {
    services->spawn("scheduler", working ? scheduler->run() : scheduler->answer_requests());
    services->spawn("stream job", stream_job->run());
  });
}

void House::Parts::stop() {
  doors.stop();
  if (connectors) io::run_on(runtime.loop(0), connectors->stop());
  if (services) {
    io::run_on(runtime.loop(0), [](io::Scope& scope) -> io::Task<> {
      scope.cancel();
      co_await scope.join();
    }(*services));
    services.reset();
  }
  if (broker) {
    if (Status closed = io::wait_on(runtime.loop(0), broker->close()); !closed)
      log_error("app", "the broker did not close cleanly", {{"error", closed.error().text()}});
  }
  if (serving) remove_endpoints(*directory);
}

House::House(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

House::~House() {
  parts_->stop();
}

Result<std::unique_ptr<House>> House::open(Options options) {
  auto parts = std::make_unique<Parts>(std::move(options));
  parts->project = std::move(parts->options.project);
  parts->user_id = parts->project.variables["user_id"];
  auto directory = DataDirectory::open(parts->options.data_path);
  if (!directory) return directory.error();
  parts->directory.emplace(std::move(*directory));
  parts->token = to_hex(random_bytes(16));
  redact_in_logs(parts->token);

  std::unique_ptr<House> house(new House(std::move(parts)));
  Parts& p = *house->parts_;
  if (Status opened = p.open_stores(); !opened) return opened.error();
  if (Status opened = p.open_connectors(); !opened) return opened.error();
  if (Status opened = p.open_stream_job(); !opened) return opened.error();
  if (Status opened = p.open_scheduler(); !opened) return opened.error();
  if (!p.options.doors) return house;
  if (Status made = p.provision(); !made) return made.error();
  if (Status started = p.start_services(); !started) return started.error();
  auto endpoints = p.doors.open(*house, {.any_ports = p.options.any_ports});
  if (!endpoints) return endpoints.error();
  p.endpoints = std::move(*endpoints);
  if (Status written = write_endpoints(*p.directory, p.endpoints); !written) return written.error();
  p.serving = true;
  return house;
}

io::Task<Result<Answer>> House::task_of(const Operation& operation, codec::Json arguments) {
  // On the directory itself only a command that is about runs sets any going.
  if (!parts_->services) parts_->start_without_doors(operation.runs_tasks);
  return operation.run(*this, std::move(arguments));
}

Result<Answer> House::call(const Operation& operation, codec::Json arguments) {
  return io::wait_on(parts_->runtime.loop(0), task_of(operation, std::move(arguments)));
}

const project::Project& House::project() const {
  return parts_->project;
}
const Endpoints& House::endpoints() const {
  return parts_->endpoints;
}
const std::string& House::token() const {
  return parts_->token;
}
const std::string& House::lake_url() const {
  return parts_->stores.lake_url;
}
const DataDirectory& House::directory() const {
  return *parts_->directory;
}
io::Runtime& House::runtime() {
  return parts_->runtime;
}
broker::Topics& House::topics() {
  return *parts_->topics;
}
broker::Streams& House::streams() {
  return *parts_->streams;
}
objects::Uploads& House::uploads() {
  return *parts_->stores.uploads;
}
jobs::StreamJob& House::stream_job() {
  return *parts_->stream_job;
}
broker::Broker& House::broker() {
  return *parts_->broker;
}
objects::Store& House::buckets() {
  return parts_->stores.seen();
}
lake::Services& House::lake() {
  return *parts_->lake;
}
scheduler::Scheduler& House::scheduler() {
  return *parts_->scheduler;
}
jobs::Batch& House::batch() {
  return *parts_->batch;
}
jobs::Questions& House::questions() {
  return *parts_->questions;
}
jobs::Tracer& House::tracer() {
  return *parts_->tracer;
}
const std::string& House::user_id() const {
  return parts_->user_id;
}

std::string House::connector_name() const {
  return parts_->project.connectors.empty() ? "" : parts_->project.connectors.front().name;
}

sink::Connectors& House::connectors() {
  return *parts_->connectors;
}

io::Task<std::vector<sink::SinkStatus>> House::connector_status() {
  if (!parts_->options.doors) co_return std::vector<sink::SinkStatus>{};
  co_return co_await parts_->connectors->statuses();
}

Status House::flush_connectors() {
  io::Loop& loop = parts_->runtime.loop(0);
  for (const sink::SinkStatus& connector : io::wait_on(loop, connector_status())) {
    if (connector.state != "RUNNING") continue;
    Status done =
        io::wait_on(loop, parts_->connectors->flush(connector.name, io::after(Millis(120'000))));
    if (!done) return done;
  }
  return {};
}

}  // namespace pinpipe::app
