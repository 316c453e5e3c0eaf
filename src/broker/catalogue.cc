#include "broker/catalogue.h"

#include <algorithm>
#include <latch>

#include "base/check.h"
#include "base/log_line.h"
#include "broker/names.h"

namespace pinpipe::broker {
namespace {

std::string text_of(const ConfigMap& configs) {
  // One setting a line: neither names nor understood values contain a line end.
  std::string text;
  for (const auto& [name, value] : configs)
    text.append(name).append("=").append(value).append("\n");
  return text;
}

ConfigMap configs_of(std::string_view text) {
  ConfigMap configs;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    size_t equals = line.find('=');
    if (equals != std::string_view::npos)
      configs.emplace(line.substr(0, equals), line.substr(equals + 1));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return configs;
}

std::shared_ptr<Topic> topic_of(TopicFacts facts, const TopicSettings& settings) {
  auto topic = std::make_shared<Topic>();
  topic->facts = std::move(facts);
  topic->settings = settings;
  topic->turn = std::make_shared<std::atomic<uint32_t>>(0);
  return topic;
}

}  // namespace

Catalogue::Catalogue(Options options, state::Database& database, log::LogHouse house)
    : options_(std::move(options)), database_(database), house_(house) {}

std::string Catalogue::directory_of(const TopicFacts& facts) const {
  return options_.log_directory + "/" + facts.name + "/" + facts.id.text();
}

Status Catalogue::open() {
  if (Status made = house_.files.make_directories(options_.log_directory); !made) return made;
  auto rows = database_.read([](state::Connection& c) -> Result<std::vector<TopicFacts>> {
    std::vector<TopicFacts> topics;
    auto rows = c.query("SELECT name, id, partitions, configs, internal FROM topics");
    while (rows.next()) {
      auto id = Uuid::from_text(rows.text(1));
      if (!id) return Error(Code::corrupt, "topic " + rows.text(0) + " has no valid id");
      topics.push_back({.name = rows.text(0),
                        .id = *id,
                        .partitions = static_cast<int32_t>(rows.integer(2)),
                        .configs = configs_of(rows.text(3)),
                        .internal = rows.integer(4) != 0});
    }
    if (!rows.status()) return rows.status().error();
    return topics;
  });
  if (!rows) return rows.error();
  if (Status opened = open_all(std::move(*rows)); !opened) return opened;
  return remove_strays();
}

Status Catalogue::open_all(std::vector<TopicFacts> all) {
  std::vector<std::shared_ptr<Topic>> topics;
  for (TopicFacts& facts : all) {
    auto settings = understand(facts.configs);
    if (!settings) return settings.error().with("topic " + facts.name);
    topics.push_back(topic_of(std::move(facts), *settings));
    topics.back()->logs.resize(static_cast<size_t>(topics.back()->facts.partitions));
  }
  if (Status opened = open_logs(topics); !opened) return opened;
  auto was_read = [](const std::shared_ptr<Topic>& topic) {
    return std::ranges::any_of(topic->logs, [](const auto& log) {
      return log->recovery().scanned_bytes + log->recovery().cut_bytes > 0;
    });
  };
  // What a crash left only in the page cache counts as durable from now on: one sync for all.
  if (std::ranges::any_of(topics, was_read)) {
    if (Status synced = house_.files.sync_tree(options_.log_directory); !synced) return synced;
  }
  for (std::shared_ptr<Topic>& topic : topics) put(std::move(topic));
  return {};
}

// Many at a time: most of opening is waiting for the disk.
Status Catalogue::open_logs(std::vector<std::shared_ptr<Topic>>& topics) {
  constexpr ptrdiff_t workers = 8;
  struct Place {
    Topic* topic;
    size_t partition;
  };
  std::vector<Place> places;
  for (const std::shared_ptr<Topic>& topic : topics) {
    for (size_t i = 0; i < topic->logs.size(); ++i) places.push_back({topic.get(), i});
  }
  std::atomic<size_t> next{0};
  std::vector<Status> outcomes(workers);
  std::latch done(workers);
  auto work = [&](Status& outcome) {
    for (size_t at = next.fetch_add(1); at < places.size() && outcome; at = next.fetch_add(1)) {
      auto& [topic, partition] = places[at];
      auto log =
          log::PartitionLog::open(directory_of(topic->facts) + "/" + std::to_string(partition),
                                  topic->settings.log, house_, false);
      if (log)
        topic->logs[partition] = std::move(*log);
      else
        outcome = log.error().with("topic " + topic->facts.name);
    }
    done.count_down();
  };
  for (Status& outcome : outcomes) {
    bool queued = house_.disk.submit([&work, &outcome] { work(outcome); });
    CHECK(queued, "the disk pool is empty at start");
  }
  done.wait();
  for (Status& outcome : outcomes) {
    if (!outcome) return outcome;
  }
  return {};
}

Status Catalogue::remove_strays() {
  auto names = house_.files.list(options_.log_directory);
  if (!names) return names.error();
  for (const io::DirEntry& name : *names) {
    std::string directory = options_.log_directory + "/" + name.name;
    if (!name.is_directory) continue;
    auto incarnations = house_.files.list(directory);
    if (!incarnations) return incarnations.error();
    TopicPointer topic = find(name.name);
    for (const io::DirEntry& incarnation : *incarnations) {
      if (topic && topic->facts.id.text() == incarnation.name) continue;
      log_info("broker", "removing the directory of a deleted topic",
               {{"topic", name.name}, {"incarnation", incarnation.name}});
      if (Status gone = house_.files.remove_tree(directory + "/" + incarnation.name); !gone)
        return gone;
    }
    if (!topic) (void)house_.files.remove(directory);
  }
  return {};
}

Result<std::shared_ptr<Topic>> Catalogue::open_topic(TopicFacts facts) {
  auto settings = understand(facts.configs);
  if (!settings) return settings.error();
  std::shared_ptr<Topic> topic = topic_of(std::move(facts), *settings);
  for (int32_t i = 0; i < topic->facts.partitions; ++i) {
    auto log = log::PartitionLog::open(directory_of(topic->facts) + "/" + std::to_string(i),
                                       topic->settings.log, house_);
    if (!log) return log.error();
    topic->logs.push_back(std::move(*log));
  }
  return topic;
}

void Catalogue::put(TopicPointer topic) {
  {
    std::lock_guard lock(mutex_);
    auto& slot = by_name_[topic->facts.name];
    partitions_ += topic->logs.size() - (slot ? slot->logs.size() : 0);
    by_id_[topic->facts.id] = topic;
    slot = std::move(topic);
  }
  changed_.notify_all();
}

TopicPointer Catalogue::find(std::string_view name) const {
  std::lock_guard lock(mutex_);
  auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

TopicPointer Catalogue::find(const Uuid& id) const {
  std::lock_guard lock(mutex_);
  auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

std::vector<TopicPointer> Catalogue::list() const {
  std::lock_guard lock(mutex_);
  std::vector<TopicPointer> topics;
  topics.reserve(by_name_.size());
  for (const auto& [name, topic] : by_name_) topics.push_back(topic);
  return topics;
}

Error Catalogue::not_found(std::string_view name) const {
  std::vector<std::string> known;
  for (const TopicPointer& topic : list()) {
    if (!topic->facts.internal) known.push_back(topic->facts.name);
  }
  return Error(Code::not_found, "there is no topic '" +
                                    std::string(name.substr(0, topic_name_bytes_max)) + "'" +
                                    nearest_hint(name, known));
}

Status Catalogue::check_creatable(const TopicSpec& spec) const {
  if (Status named = check_topic_name(spec.name); !named) return named;
  if (spec.partitions < 1)
    return Error(Code::invalid, "topic " + spec.name + " needs at least one partition");
  if (auto settings = understand(spec.configs); !settings)
    return settings.error().with("topic " + spec.name);
  if (find(spec.name)) return Error(Code::conflict, "topic " + spec.name + " exists already");
  return check_room(spec.partitions);
}

Status Catalogue::check_room(int32_t more) const {
  std::lock_guard lock(mutex_);
  if (more <= 0 || partitions_ + static_cast<size_t>(more) <= options_.partitions_max) return {};
  return Error(Code::busy,
               "there may be at most " + std::to_string(options_.partitions_max) + " partitions");
}

Result<TopicPointer> Catalogue::create(TopicSpec spec, bool internal) {
  if (Status creatable = check_creatable(spec); !creatable) return creatable.error();
  TopicFacts facts{.name = std::move(spec.name),
                   .id = Uuid::random(),
                   .partitions = spec.partitions,
                   .configs = std::move(spec.configs),
                   .internal = internal};
  // The row decides between two who create the same name.
  Status written = database_.write([&](state::Connection& c) {
    return c.run(
        "INSERT INTO topics (name, id, partitions, configs, internal, created_ms) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        {facts.name, facts.id.text(), facts.partitions, text_of(facts.configs), internal,
         house_.clock.wall_ms()});
  });
  if (!written && written.error().code() == Code::conflict)
    return Error(Code::conflict, "topic " + facts.name + " exists already");
  if (!written) return written.error();
  auto topic = open_topic(std::move(facts));
  if (!topic) return topic.error();
  put(*topic);
  return TopicPointer(*topic);
}

Result<TopicPointer> Catalogue::remove(std::string_view name) {
  TopicPointer removed = find(name);
  if (!removed) return not_found(name);
  Status written = database_.write([&](state::Connection& c) -> Status {
    Status done = c.run("DELETE FROM topics WHERE id = ?", {removed->facts.id.text()});
    if (!done) return done;
    return c.changes() > 0 ? Status{} : Status(not_found(name));
  });
  if (!written) return written.error();
  {
    std::lock_guard lock(mutex_);
    auto found = by_name_.find(name);
    if (found != by_name_.end() && found->second->facts.id == removed->facts.id) {
      removed = found->second;
      partitions_ -= removed->logs.size();
      by_name_.erase(found);
    }
    by_id_.erase(removed->facts.id);
  }
  changed_.notify_all();
  return removed;
}

Status Catalogue::remove_directory(const Topic& topic) {
  Status removed = house_.files.remove_tree(directory_of(topic.facts));
  // The name's own directory stays when another incarnation lives in it.
  (void)house_.files.remove(options_.log_directory + "/" + topic.facts.name);
  return removed;
}

Status Catalogue::add_partitions(std::string_view name, int32_t total) {
  TopicPointer before = find(name);
  if (!before) return not_found(name);
  if (Status fits = check_room(total - before->facts.partitions); !fits) return fits;
  auto next = std::make_shared<Topic>(*before);
  next->facts.partitions = total;
  Status written = database_.write([&](state::Connection& c) -> Status {
    Status done = c.run("UPDATE topics SET partitions = ? WHERE name = ? AND partitions < ?",
                        {total, name, total});
    if (!done) return done;
    if (c.changes() == 0)
      return Error(Code::invalid, "topic " + std::string(name) + " has " +
                                      std::to_string(before->facts.partitions) +
                                      " partitions; their number can only grow");
    return {};
  });
  if (!written) return written;
  for (auto i = static_cast<int32_t>(next->logs.size()); i < total; ++i) {
    auto log = log::PartitionLog::open(directory_of(next->facts) + "/" + std::to_string(i),
                                       next->settings.log, house_);
    if (!log) return log.error();
    next->logs.push_back(std::move(*log));
  }
  put(next);
  return {};
}

Status Catalogue::set_configs(std::string_view name, const ConfigMap& configs) {
  TopicPointer before = find(name);
  if (!before) return not_found(name);
  auto settings = understand(configs);
  if (!settings) return settings.error().with("topic " + std::string(name));
  Status written = database_.write([&](state::Connection& c) {
    return c.run("UPDATE topics SET configs = ? WHERE name = ?", {text_of(configs), name});
  });
  if (!written) return written;
  auto next = std::make_shared<Topic>(*before);
  next->facts.configs = configs;
  next->settings = *settings;
  for (const auto& log : next->logs) log->set_options(settings->log);
  put(next);
  return {};
}

}  // namespace pinpipe::broker
