// The connectors there are: made, changed and removed while all runs, and still there after a
// restart. Kafka Connect's view of the sinks: a configuration, a wanted state, tasks.
// Promise: what a call returned ok for survives a power cut; a connector that is changed ends
// wholly before it begins anew; changes happen one at a time, in order. A connector of the project
// is made at start; what was done to it since (changed, deleted) stays until the project says
// something else about it. A deleted connector's positions stay, as a consumer group's do: one of
// the same name goes on where it ended.
// All calls may come from any loop, once start() has returned; before it, and without it, on the
// connectors' own loop only: then connectors can be looked at and changed, but none runs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/scope.h"
#include "sink/object_sink.h"

namespace pinpipe::sink {

struct ConnectorFacts {
  std::string name;
  Properties config;   // as given, with the name
  std::string wanted;  // RUNNING, PAUSED, STOPPED
  int tasks = 0;
  bool operator==(const ConnectorFacts&) const = default;
};

class Connectors {
 public:
  static constexpr size_t connectors_max = 1'000;

  struct Parts {
    broker::Topics& topics;
    objects::Store& objects;
    io::Pool& disk;
    io::Loop& loop;
    Clock& clock = system_clock();
    Zones zones = utc_only;
    // The custom plugin's name, which stands for the S3 sink as connector.class; may be empty.
    std::string plugin = {};
  };
  // Blocks.
  static Result<std::unique_ptr<Connectors>> open(const std::string& state_path, Parts parts);
  ~Connectors();

  // A connector of the project. Blocks; before start(). `invalid` when its configuration is.
  Status declare(const std::string& name, Properties properties);
  // On the connectors' loop. stop() ends all sinks; calls that come later are refused.
  io::Task<> start();
  io::Task<> stop();

  // What is wrong with a configuration, each key's problem.
  std::vector<KeyProblem> problems(const Properties& properties) const;

  io::Task<Result<std::vector<ConnectorFacts>>> list();
  io::Task<Result<ConnectorFacts>> find(std::string name);
  // `conflict` when there is one of that name; `invalid` with all keys' problems.
  io::Task<Result<ConnectorFacts>> create(std::string name, Properties properties,
                                          std::string wanted = "RUNNING");
  struct Put {
    ConnectorFacts facts;
    bool created = false;
  };
  io::Task<Result<Put>> put(std::string name, Properties properties);
  io::Task<Status> remove(std::string name);
  // RUNNING, PAUSED or STOPPED.
  io::Task<Status> want(std::string name, std::string wanted);
  // One task, or with nothing the connector itself and, when asked, its tasks.
  struct Restart {
    std::optional<int> task;
    bool include_tasks = false;
    bool only_failed = false;
  };
  io::Task<Status> restart(std::string name, Restart what);

  // Closes open files now and waits until all that is in the topics is stored.
  io::Task<Status> flush(std::string name, io::Instant deadline);
  io::Task<Result<SinkStatus>> status(std::string name);
  io::Task<std::vector<SinkStatus>> statuses();

 private:
  struct Connector {
    ConnectorRow row;
    Properties config;
    std::shared_ptr<ObjectSink> sink;   // while it runs or pauses
    std::unique_ptr<io::Scope> runner;  // of the sink
  };

  Connectors(std::unique_ptr<SinkState> state, Parts parts);
  Result<SinkConfig> parse(Properties properties) const;
  Result<Connector*> at(const std::string& name);
  ConnectorFacts facts_of(const Connector& connector) const;
  io::Task<Status> keep(ConnectorRow row);
  void begin(Connector& connector);
  io::Task<> end(Connector& connector);
  // One change at a time.
  io::Task<Status> take_turn();
  void end_turn();

  io::Task<Result<std::vector<ConnectorFacts>>> list_now();
  io::Task<Result<ConnectorFacts>> find_now(std::string name);
  io::Task<Result<Put>> put_now(std::string name, Properties properties, std::string wanted,
                                bool only_new);
  io::Task<Result<Put>> exchange(std::string name, Properties properties, std::string wanted,
                                 bool only_new);
  io::Task<Status> remove_now(std::string name);
  io::Task<Status> want_now(std::string name, std::string wanted);
  io::Task<Status> restart_now(std::string name, Restart what);
  io::Task<Result<std::shared_ptr<ObjectSink>>> sink_now(std::string name);

  template <class T>
  io::Task<Result<T>> on_own_loop(io::Task<Result<T>> work);

  Parts parts_;
  std::unique_ptr<SinkState> state_;
  std::shared_ptr<Memory> memory_ = std::make_shared<Memory>();
  std::map<std::string, Connector> connectors_;
  std::map<std::string, ConnectorRow> deleted_;  // those the project declares
  std::unique_ptr<io::Scope> scope_;             // of calls from other loops, while started
  bool stopped_ = false;
  bool changing_ = false;
  io::Signal changed_;
};

}  // namespace pinpipe::sink
