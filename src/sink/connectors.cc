#include "sink/connectors.h"

#include <fmt/format.h>

#include "base/log_line.h"
#include "codec/json.h"
#include "sink/keys.h"

namespace pinpipe::sink {
namespace {

std::string text_of(const Properties& properties) {
  codec::Json json = codec::Json::object();
  for (const auto& [key, value] : properties) json.set(key, value);
  return codec::to_json(json);
}

Result<Properties> stored_properties(const std::string& text) {
  auto json = codec::parse_json(text);
  if (!json) return json.error().with("a stored connector");
  return properties_of(*json);
}

}  // namespace

Connectors::Connectors(std::unique_ptr<SinkState> state, Parts parts)
    : parts_(std::move(parts)), state_(std::move(state)) {}
Connectors::~Connectors() = default;

Result<std::unique_ptr<Connectors>> Connectors::open(const std::string& state_path, Parts parts) {
  auto state = SinkState::open(state_path);
  if (!state) return state.error();
  std::unique_ptr<Connectors> all(new Connectors(std::move(*state), std::move(parts)));
  auto rows = all->state_->connectors();
  if (!rows) return rows.error();
  for (ConnectorRow& row : *rows) {
    std::string name = row.name;
    if (row.config.empty()) {
      all->deleted_.emplace(std::move(name), std::move(row));
      continue;
    }
    auto config = stored_properties(row.config);
    if (!config) return config.error();
    Connector& connector = all->connectors_[name];
    connector.row = std::move(row);
    connector.config = std::move(*config);
  }
  return all;
}

Result<SinkConfig> Connectors::parse(Properties properties) const {
  auto given = properties.find("connector.class");
  if (given != properties.end() && !parts_.plugin.empty() && given->second == parts_.plugin)
    given->second = "S3SinkConnector";
  return parse_config(properties, parts_.zones);
}

std::vector<KeyProblem> Connectors::problems(const Properties& properties) const {
  Properties plain = properties;
  auto given = plain.find("connector.class");
  if (given != plain.end() && !parts_.plugin.empty() && given->second == parts_.plugin)
    given->second = "S3SinkConnector";
  return problems_of(plain, parts_.zones);
}

Status Connectors::declare(const std::string& name, Properties properties) {
  properties["name"] = name;
  if (auto config = parse(properties); !config) return config.error().with("connector " + name);
  std::string declared = text_of(properties);
  auto there = connectors_.find(name);
  if (there != connectors_.end() && there->second.row.declared == declared) return {};
  auto gone = deleted_.find(name);
  if (gone != deleted_.end() && gone->second.declared == declared) return {};
  ConnectorRow row{name, declared, "RUNNING", declared};
  if (there != connectors_.end()) row.state = there->second.row.state;
  if (Status kept = state_->keep_connector(row); !kept) return kept;
  deleted_.erase(name);
  Connector& connector = connectors_[name];
  connector.row = std::move(row);
  connector.config = std::move(properties);
  return {};
}

io::Task<> Connectors::start() {
  scope_ = std::make_unique<io::Scope>(parts_.loop);
  for (auto& [name, connector] : connectors_) begin(connector);
  co_return;
}

io::Task<> Connectors::stop() {
  stopped_ = true;
  if (scope_ == nullptr) co_return;
  scope_->cancel();
  co_await scope_->join();
  for (auto& [name, connector] : connectors_) {
    if (connector.runner) connector.runner->cancel();
  }
  for (auto& [name, connector] : connectors_) co_await end(connector);
  scope_.reset();
}

// Runs the connector as it is wanted, where connectors run at all.
void Connectors::begin(Connector& connector) {
  if (scope_ == nullptr || stopped_ || connector.row.state == "STOPPED") return;
  auto config = parse(connector.config);
  if (!config) {  // an older program took it
    log_error("sink", "a connector cannot start", {{"reason", config.error().text()}});
    return;
  }
  connector.sink = std::make_shared<ObjectSink>(
      ObjectSink::Parts{parts_.topics, parts_.objects, *state_, parts_.disk, parts_.loop,
                        parts_.clock, memory_},
      std::move(*config));
  if (connector.row.state == "PAUSED") connector.sink->begin_paused();
  connector.runner = std::make_unique<io::Scope>(parts_.loop);
  // The sink lives as long as its run(), whoever lets go of it.
  auto run = [](std::shared_ptr<ObjectSink> sink) -> io::Task<> { co_await sink->run(); };
  connector.runner->spawn("connector", run(connector.sink));
}

io::Task<> Connectors::end(Connector& connector) {
  if (!connector.runner) co_return;
  connector.runner->cancel();
  co_await connector.runner->join();
  connector.runner.reset();
  connector.sink.reset();
}

io::Task<Status> Connectors::take_turn() {
  while (changing_) {
    uint64_t seen = changed_.version();
    if (!changing_) break;
    Status waited = co_await changed_.wait_beyond(seen, io::never);
    if (!waited) co_return waited;
  }
  changing_ = true;
  co_return Status{};
}

void Connectors::end_turn() {
  changing_ = false;
  changed_.notify_all();
}

// A caller that gives up does not leave a change half done: it goes on in our own scope.
template <class T>
io::Task<Result<T>> Connectors::on_own_loop(io::Task<Result<T>> work) {
  if (scope_ == nullptr && !stopped_) co_return co_await std::move(work);
  io::OneShot<Result<T>> done;
  auto carry = [](io::Task<Result<T>> inner, io::OneShot<Result<T>> into) -> io::Task<> {
    into.set(co_await std::move(inner));
  };
  parts_.loop.post([this, done, carry, work = std::move(work)]() mutable {
    if (scope_ == nullptr || stopped_)
      return done.set(Error(Code::unavailable, "the connectors are stopping"));
    scope_->spawn("connector call", carry(std::move(work), done));
  });
  auto result = co_await done.wait();
  if (!result) co_return result.error();
  co_return std::move(*result);
}

Result<Connectors::Connector*> Connectors::at(const std::string& name) {
  auto found = connectors_.find(name);
  if (found == connectors_.end()) return Error(Code::not_found, "Connector " + name + " not found");
  return &found->second;
}

ConnectorFacts Connectors::facts_of(const Connector& connector) const {
  ConnectorFacts facts{connector.row.name, connector.config, connector.row.state, 0};
  if (connector.sink) facts.tasks = connector.sink->config().tasks_max;
  return facts;
}

io::Task<Status> Connectors::keep(ConnectorRow row) {
  co_return co_await parts_.disk.run([&] { return state_->keep_connector(row); });
}

io::Task<Result<std::vector<ConnectorFacts>>> Connectors::list_now() {
  std::vector<ConnectorFacts> all;
  for (const auto& [name, connector] : connectors_) all.push_back(facts_of(connector));
  co_return all;
}

io::Task<Result<ConnectorFacts>> Connectors::find_now(std::string name) {
  auto found = at(name);
  if (!found) co_return found.error();
  co_return facts_of(**found);
}

io::Task<Result<Connectors::Put>> Connectors::put_now(std::string name, Properties properties,
                                                      std::string wanted, bool only_new) {
  if (Status turn = co_await take_turn(); !turn) co_return turn.error();
  auto done =
      co_await exchange(std::move(name), std::move(properties), std::move(wanted), only_new);
  end_turn();
  co_return done;
}

io::Task<Result<Connectors::Put>> Connectors::exchange(std::string name, Properties properties,
                                                       std::string wanted, bool only_new) {
  auto there = connectors_.find(name);
  bool is_new = there == connectors_.end();
  if (!is_new && only_new) co_return Error(Code::conflict, "Connector " + name + " already exists");
  if (is_new && connectors_.size() >= connectors_max)
    co_return Error(Code::busy, fmt::format("there are {} connectors already", connectors_max));
  properties["name"] = name;
  if (auto config = parse(properties); !config) co_return config.error();
  ConnectorRow row{name, text_of(properties), std::move(wanted), {}};
  if (!is_new) {
    row.state = there->second.row.state;
    row.declared = there->second.row.declared;
    co_await end(there->second);
  } else if (auto gone = deleted_.find(name); gone != deleted_.end()) {
    row.declared = gone->second.declared;
  }
  Status kept = co_await keep(row);
  if (kept || is_new) {
    if (!kept) co_return kept.error();
    deleted_.erase(name);
    connectors_[name].row = std::move(row);
    connectors_[name].config = std::move(properties);
  }
  Connector& connector = connectors_[name];
  begin(connector);
  if (!kept) co_return kept.error();
  co_return Put{facts_of(connector), is_new};
}

io::Task<Status> Connectors::remove_now(std::string name) {
  if (Status turn = co_await take_turn(); !turn) co_return turn;
  Status done = Error(Code::not_found, "Connector " + name + " not found");
  if (auto found = at(name); found) {
    ConnectorRow row = (*found)->row;
    row.config.clear();
    done = co_await keep(row);
    if (done) {
      co_await end(**found);
      connectors_.erase(name);
      deleted_[name] = std::move(row);
    }
  }
  end_turn();
  co_return done;
}

io::Task<Status> Connectors::want_now(std::string name, std::string wanted) {
  if (Status turn = co_await take_turn(); !turn) co_return turn;
  Status done = Error(Code::not_found, "Connector " + name + " not found");
  if (auto found = at(name); found) {
    Connector& connector = **found;
    ConnectorRow row = connector.row;
    row.state = wanted;
    done = co_await keep(row);
    if (done) {
      connector.row = std::move(row);
      if (wanted == "STOPPED") co_await end(connector);
      if (wanted != "STOPPED" && !connector.sink) begin(connector);
      if (connector.sink && wanted == "PAUSED") co_await connector.sink->pause();
      if (connector.sink && wanted == "RUNNING") co_await connector.sink->resume();
    }
  }
  end_turn();
  co_return done;
}

io::Task<Status> Connectors::restart_now(std::string name, Restart what) {
  auto found = at(name);
  if (!found) co_return found.error();
  std::shared_ptr<ObjectSink> sink = (*found)->sink;
  if (scope_ == nullptr) co_return Status{};  // nothing runs that could be restarted
  if (!sink) co_return Error(Code::conflict, "connector " + name + " is stopped; resume it first");
  if (what.task) {
    if (*what.task < 0 || *what.task >= sink->config().tasks_max)
      co_return Error(Code::not_found, fmt::format("Unknown task: {}-{}", name, *what.task));
    co_await sink->restart(what.task);
    co_return Status{};
  }
  // The connector itself cannot fail: what there is to restart are tasks.
  if (what.only_failed || !what.include_tasks) {
    if (what.include_tasks) co_await sink->restart(std::nullopt);
    co_return Status{};
  }
  for (int task = 0; task < sink->config().tasks_max; ++task) co_await sink->restart(task);
  co_return Status{};
}

io::Task<Result<std::shared_ptr<ObjectSink>>> Connectors::sink_now(std::string name) {
  auto found = at(name);
  if (!found) co_return found.error();
  co_return (*found)->sink;
}

io::Task<Result<std::vector<ConnectorFacts>>> Connectors::list() {
  return on_own_loop(list_now());
}
io::Task<Result<ConnectorFacts>> Connectors::find(std::string name) {
  return on_own_loop(find_now(std::move(name)));
}
io::Task<Result<ConnectorFacts>> Connectors::create(std::string name, Properties properties,
                                                    std::string wanted) {
  auto put = co_await on_own_loop(
      put_now(std::move(name), std::move(properties), std::move(wanted), true));
  if (!put) co_return put.error();
  co_return std::move(put->facts);
}
io::Task<Result<Connectors::Put>> Connectors::put(std::string name, Properties properties) {
  return on_own_loop(put_now(std::move(name), std::move(properties), "RUNNING", false));
}
io::Task<Status> Connectors::remove(std::string name) {
  return on_own_loop(remove_now(std::move(name)));
}
io::Task<Status> Connectors::want(std::string name, std::string wanted) {
  return on_own_loop(want_now(std::move(name), std::move(wanted)));
}
io::Task<Status> Connectors::restart(std::string name, Restart what) {
  return on_own_loop(restart_now(std::move(name), what));
}

io::Task<Status> Connectors::flush(std::string name, io::Instant deadline) {
  auto sink = co_await on_own_loop(sink_now(name));
  if (!sink) co_return sink.error();
  if (!*sink) co_return Error(Code::conflict, "connector " + name + " does not run");
  co_return co_await (*sink)->flush(deadline);
}

io::Task<Result<SinkStatus>> Connectors::status(std::string name) {
  auto facts = co_await find(name);
  if (!facts) co_return facts.error();
  auto sink = co_await on_own_loop(sink_now(name));
  if (!sink) co_return sink.error();
  if (*sink) co_return co_await (*sink)->status();
  SinkStatus status;
  status.name = name;
  status.state = facts->wanted == "STOPPED" ? "STOPPED" : "UNASSIGNED";
  co_return status;
}

io::Task<std::vector<SinkStatus>> Connectors::statuses() {
  std::vector<SinkStatus> all;
  auto facts = co_await list();
  if (!facts) co_return all;
  for (const ConnectorFacts& one : *facts) {
    if (auto status = co_await this->status(one.name); status) all.push_back(std::move(*status));
  }
  co_return all;
}

}  // namespace pinpipe::sink
