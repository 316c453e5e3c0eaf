#include "broker/consumers.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/log_line.h"
#include "broker/broker.h"
#include "codec/json.h"

namespace pinpipe::broker {
namespace {

using codec::Json;

constexpr std::array<std::string_view, 1> migrations = {
    "CREATE TABLE consumers (group_name TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL, "
    "owner_kind INTEGER NOT NULL, spec TEXT NOT NULL, plan TEXT NOT NULL, "
    "PRIMARY KEY (group_name, name));"
    "CREATE TABLE positions (group_name TEXT NOT NULL, name TEXT NOT NULL, topic TEXT NOT NULL, "
    "partition INTEGER NOT NULL, next INTEGER NOT NULL, saved_ms INTEGER NOT NULL, "
    "PRIMARY KEY (group_name, name, topic, partition));"};

std::string text_of(const ConsumerSpec& spec) {
  Json json;
  json.set("format", spec.format).set("reset", static_cast<int>(spec.reset));
  json.set("auto_commit", spec.auto_commit).set("bytes_min", spec.bytes_min);
  json.set("wait_ms", spec.wait_ms);
  return codec::to_json(json);
}

std::string text_of(const ConsumerPlan& plan) {
  Json topics = Json::array();
  for (const std::string& topic : plan.topics) topics.push(topic);
  Json by_hand = Json::array();
  for (const TopicPartition& where : plan.by_hand) {
    Json one;
    one.set("topic", where.topic).set("partition", where.partition);
    by_hand.push(std::move(one));
  }
  Json json;
  json.set("topics", std::move(topics)).set("pattern", plan.pattern);
  json.set("by_hand", std::move(by_hand)).set("is_by_hand", plan.is_by_hand);
  return codec::to_json(json);
}

ConsumerSpec spec_of(std::string group, std::string name, const Json& json) {
  ConsumerSpec spec;
  spec.group = std::move(group);
  spec.name = std::move(name);
  spec.format = json["format"].as_string().value_or("");
  spec.reset = static_cast<OffsetReset>(json["reset"].as_int().value_or(0));
  spec.auto_commit = json["auto_commit"].as_bool().value_or(true);
  spec.bytes_min = json["bytes_min"].as_int().value_or(-1);
  spec.wait_ms = json["wait_ms"].as_int().value_or(1'000);
  return spec;
}

ConsumerPlan plan_of(const Json& json) {
  ConsumerPlan plan;
  for (const Json& topic : json["topics"].elements())
    plan.topics.emplace_back(topic.as_string().value_or(""));
  plan.pattern = json["pattern"].as_string().value_or("");
  for (const Json& one : json["by_hand"].elements()) {
    plan.by_hand.push_back({std::string(one["topic"].as_string().value_or("")),
                            static_cast<PartitionId>(one["partition"].as_int().value_or(0))});
  }
  plan.is_by_hand = json["is_by_hand"].as_bool().value_or(false);
  return plan;
}

}  // namespace

Consumers::Consumers(Options options, Broker& broker, io::Pool& disk, const Clock& clock,
                     std::unique_ptr<state::Database> database)
    : options_(std::move(options)),
      broker_(broker),
      disk_(disk),
      clock_(clock),
      database_(std::move(database)) {}
Consumers::~Consumers() = default;

Result<std::unique_ptr<Consumers>> Consumers::open(Options options, Broker& broker, io::Pool& disk,
                                                   const Clock& clock) {
  auto database = state::Database::open(options.state_path, migrations);
  if (!database) return database.error();
  std::unique_ptr<Consumers> consumers(
      new Consumers(std::move(options), broker, disk, clock, std::move(*database)));
  if (Status loaded = consumers->load(); !loaded) return loaded.error().with("consumers");
  return consumers;
}

Status Consumers::load() {
  return database_->read([this](state::Connection& c) -> Status {
    std::map<Key, SavedPositions> saved;
    auto rows = c.query("SELECT group_name, name, topic, partition, next, saved_ms FROM positions");
    while (rows.next()) {
      TopicPartition where{rows.text(2), static_cast<PartitionId>(rows.integer(3))};
      saved[{rows.text(0), rows.text(1)}][std::move(where)] = {rows.integer(4), rows.integer(5)};
    }
    if (!rows.status()) return rows.status();
    auto found = c.query("SELECT group_name, name, owner, owner_kind, spec, plan FROM consumers");
    while (found.next()) {
      Key key{found.text(0), found.text(1)};
      auto spec = codec::parse_json(found.text(4));
      auto plan = codec::parse_json(found.text(5));
      if (!spec || !plan) return Error(Code::corrupt, "the row of " + key.second + " is no JSON");
      auth::Principal owner{found.text(2), static_cast<auth::PrincipalKind>(found.integer(3))};
      auto consumer = std::make_shared<Consumer>(spec_of(key.first, key.second, *spec),
                                                 std::move(owner), broker_, clock_, changed_);
      consumer->restore(plan_of(*plan), std::move(saved[key]));
      consumers_[std::move(key)] = std::move(consumer);
    }
    return found.status();
  });
}

std::vector<Consumers::Pointer> Consumers::all() const {
  std::lock_guard lock(mutex_);
  std::vector<Pointer> all;
  for (const auto& [key, consumer] : consumers_) {
    if (consumer) all.push_back(consumer);
  }
  return all;
}

io::Task<Result<Consumers::Pointer>> Consumers::create(auth::Principal who, ConsumerSpec spec) {
  auto may = broker_.cluster_as(who)->groups(spec.group, auth::Action::read);
  if (!may) co_return may.error();
  Key key{spec.group, spec.name};
  {
    std::lock_guard lock(mutex_);
    if (consumers_.contains(key))
      co_return Error(Code::conflict, "group " + key.first + " has a consumer " + key.second);
    if (consumers_.size() >= options_.consumers_max)
      co_return Error(Code::busy, "there are " + std::to_string(consumers_.size()) + " consumers");
    consumers_[key];
  }
  auto consumer =
      std::make_shared<Consumer>(std::move(spec), std::move(who), broker_, clock_, changed_);
  Status put = co_await disk_.run([&] {
    return database_->write([&](state::Connection& c) -> Status {
      return c.run(
          "INSERT INTO consumers (group_name, name, owner, owner_kind, spec, plan) "
          "VALUES (?, ?, ?, ?, ?, ?)",
          {key.first, key.second, consumer->owner().name, static_cast<int>(consumer->owner().kind),
           text_of(consumer->spec()), text_of(ConsumerPlan())});
    });
  });
  std::lock_guard lock(mutex_);
  if (!put) {
    consumers_.erase(key);
    co_return put.error();
  }
  consumers_[key] = consumer;
  co_return consumer;
}

Result<Consumers::Pointer> Consumers::find(const auth::Principal& who, std::string_view group,
                                           std::string_view name) const {
  std::string others;
  std::lock_guard lock(mutex_);
  auto found = consumers_.find({std::string(group), std::string(name)});
  if (found != consumers_.end() && found->second && found->second->owner() == who) {
    found->second->touch();
    return found->second;
  }
  for (const auto& [key, consumer] : consumers_) {
    bool is_shown = key.first == group && consumer && consumer->owner() == who;
    if (is_shown && others.size() < 200) others += (others.empty() ? "" : ", ") + key.second;
  }
  return Error(Code::not_found,
               "group " + std::string(group) + " has " +
                   (others.empty() ? std::string("no consumers") : "the consumers " + others));
}

io::Task<Status> Consumers::remove(Pointer consumer) {
  Key key{consumer->spec().group, consumer->spec().name};
  {
    std::lock_guard lock(mutex_);
    auto found = consumers_.find(key);
    if (found == consumers_.end() || found->second != consumer)
      co_return Error(Code::not_found, "the consumer is gone already");
    consumers_.erase(found);
  }
  // Its partitions go to others whatever becomes of the last commit.
  (void)co_await consumer->close();
  co_return co_await disk_.run([&] {
    return database_->write([&](state::Connection& c) -> Status {
      Status done =
          c.run("DELETE FROM positions WHERE group_name = ? AND name = ?", {key.first, key.second});
      if (!done) return done;
      return c.run("DELETE FROM consumers WHERE group_name = ? AND name = ?",
                   {key.first, key.second});
    });
  });
}

io::Task<Status> Consumers::save_plan(Pointer consumer) {
  std::string plan = text_of(consumer->plan());
  Status put = co_await disk_.run([&] {
    return database_->write([&](state::Connection& c) -> Status {
      return c.run("UPDATE consumers SET plan = ? WHERE group_name = ? AND name = ?",
                   {plan, consumer->spec().group, consumer->spec().name});
    });
  });
  if (put) {
    std::vector<Pointer> its{consumer};
    put = co_await save_positions(std::move(its));
  }
  changed_->notify_all();
  co_return put;
}

io::Task<Status> Consumers::save_positions(std::vector<Pointer> which) {
  co_return co_await disk_.run([&] {
    return database_->write([&](state::Connection& c) -> Status {
      for (const Pointer& consumer : which) {
        const ConsumerSpec& spec = consumer->spec();
        Status done = c.run("DELETE FROM positions WHERE group_name = ? AND name = ?",
                            {spec.group, spec.name});
        for (const auto& [where, position] : consumer->positions_now()) {
          if (!done) return done;
          // A consumer that was removed meanwhile gets no positions back.
          done = c.run(
              "INSERT INTO positions (group_name, name, topic, partition, next, saved_ms) "
              "SELECT group_name, name, ?, ?, ?, ? FROM consumers "
              "WHERE group_name = ? AND name = ?",
              {where.topic, where.partition, position.offset, position.saved_ms, spec.group,
               spec.name});
        }
        if (!done) return done;
      }
      return {};
    });
  });
}

io::Task<> Consumers::keep_membership(std::shared_ptr<std::set<const Consumer*>> kept,
                                      Pointer consumer) {
  co_await consumer->keep_membership();
  kept->erase(consumer.get());
}

io::Task<> Consumers::remove_idle() {
  for (Pointer& consumer : all()) {
    if (clock_.steady_ms() - consumer->touched_ms() < options_.idle_max.count()) continue;
    log_info("broker", "an idle consumer ends",
             {{"group", consumer->spec().group}, {"name", consumer->spec().name}});
    (void)co_await remove(std::move(consumer));
  }
}

io::Task<> Consumers::run() {
  io::Scope scope(io::Loop::current());
  // Who has a task in the scope. Only this loop touches it.
  auto kept = std::make_shared<std::set<const Consumer*>>();
  while (true) {
    uint64_t version = changed_->version();
    for (Pointer& consumer : all()) {
      if (!consumer->wants_membership() || !kept->insert(consumer.get()).second) continue;
      scope.spawn("consumer", keep_membership(kept, std::move(consumer)));
    }
    Status woken = co_await changed_->wait_beyond(version, io::after(options_.save_every));
    if (!woken && woken.error().code() == Code::cancelled) break;
    std::vector<Pointer> dirty = all();
    std::erase_if(dirty, [](const Pointer& consumer) { return !consumer->take_dirty(); });
    if (!dirty.empty()) {
      if (Status saved = co_await save_positions(std::move(dirty)); !saved)
        log_warn("broker", "positions of consumers could not be saved",
                 {{"reason", saved.error().text()}});
    }
    co_await remove_idle();
  }
  scope.cancel();
  co_await scope.join();
}

io::Task<Status> Consumers::close() {
  std::vector<Pointer> consumers = all();
  for (const Pointer& consumer : consumers) {
    if (consumer->spec().auto_commit) (void)co_await consumer->commit();
  }
  co_return co_await save_positions(std::move(consumers));
}

}  // namespace pinpipe::broker
