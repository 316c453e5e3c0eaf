// All consumers kept for clients without a connection, by group and name. A restart brings them
// back with their subscriptions and positions; those that nobody asks for idle_max go.
// Promise: a consumer that create() answered is there after a restart. Where it begins is saved as
// soon as it is known, how far it has read at least every save_every: after a kill records may come
// again, and none is missed.
// Thread-safe: one mutex around a map; consumers have their own. Bounds: consumers_max.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/principal.h"
#include "base/clock.h"
#include "base/result.h"
#include "broker/consumer.h"
#include "io/pool.h"
#include "io/scope.h"
#include "io/task.h"
#include "state/database.h"

namespace pinpipe::broker {

class Broker;

class Consumers {
 public:
  struct Options {
    std::string state_path;  // <data>/state/consumers.db
    Millis idle_max{300'000};
    Millis save_every{1'000};
    size_t consumers_max = 10'000;
  };
  using Pointer = std::shared_ptr<Consumer>;

  // Brings back what the last run had. Blocks. The broker outlives it.
  static Result<std::unique_ptr<Consumers>> open(Options options, Broker& broker, io::Pool& disk,
                                                 const Clock& clock);
  ~Consumers();

  // `conflict` when there is one of that name in the group, `busy` beyond consumers_max, `denied`
  // when the principal may not read as this group.
  io::Task<Result<Pointer>> create(auth::Principal who, ConsumerSpec spec);
  // `not_found` names what is there; only its maker finds it.
  Result<Pointer> find(const auth::Principal& who, std::string_view group,
                       std::string_view name) const;
  io::Task<Status> remove(Pointer consumer);
  // To be called after a plan was changed: subscribe, unsubscribe, assign.
  io::Task<Status> save_plan(Pointer consumer);

  // Keeps the memberships, saves positions and ends idle consumers, until cancelled.
  io::Task<> run();
  // Commits and saves everything. After run() has ended.
  io::Task<Status> close();

 private:
  using Key = std::pair<std::string, std::string>;

  Consumers(Options options, Broker& broker, io::Pool& disk, const Clock& clock,
            std::unique_ptr<state::Database> database);
  Status load();
  std::vector<Pointer> all() const;
  static io::Task<> keep_membership(std::shared_ptr<std::set<const Consumer*>> kept,
                                    Pointer consumer);
  io::Task<> remove_idle();
  io::Task<Status> save_positions(std::vector<Pointer> which);

  const Options options_;
  Broker& broker_;
  io::Pool& disk_;
  const Clock& clock_;
  std::unique_ptr<state::Database> database_;
  const std::shared_ptr<io::Signal> changed_ = std::make_shared<io::Signal>();

  mutable std::mutex mutex_;
  std::map<Key, Pointer> consumers_;  // an empty pointer: being made
};

}  // namespace pinpipe::broker
