#include "broker/topic_configs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <set>

#include "broker/names.h"

namespace pinpipe::broker {
namespace {

constexpr std::array facts = {
    ConfigFact{"cleanup.policy", "delete", ConfigType::list,
               "What becomes of old records: delete removes old segments; compact keeps the last "
               "record of each key; both may be set."},
    ConfigFact{"compression.type", "producer", ConfigType::text,
               "Batches are kept as the producer compressed them."},
    ConfigFact{"delete.retention.ms", "86400000", ConfigType::long_integer,
               "How long a compacted topic keeps tombstones once it has seen them."},
    ConfigFact{"flush.ms", "1000", ConfigType::long_integer,
               "With fsync=interval: the longest time an acknowledged record is not yet on disk."},
    ConfigFact{
        "fsync", "always", ConfigType::text,
        "always: acknowledged is on disk; interval: after flush.ms at the latest; os: when the "
        "operating system likes."},
    ConfigFact{"index.interval.bytes", "4096", ConfigType::integer,
               "Bytes between two index entries."},
    ConfigFact{"max.compaction.lag.ms", "9223372036854775807", ConfigType::long_integer,
               "The age at which records are compacted however few of them are dirty."},
    ConfigFact{"max.message.bytes", "1048588", ConfigType::integer,
               "The largest batch that is taken."},
    ConfigFact{"message.timestamp.after.max.ms", "9223372036854775807", ConfigType::long_integer,
               "How far a record's time may be ahead of the broker's."},
    ConfigFact{"message.timestamp.before.max.ms", "9223372036854775807", ConfigType::long_integer,
               "How far a record's time may be behind the broker's."},
    ConfigFact{"message.timestamp.type", "CreateTime", ConfigType::text,
               "CreateTime: the producer's time; LogAppendTime: the broker's."},
    ConfigFact{"min.cleanable.dirty.ratio", "0.5", ConfigType::real,
               "The share of bytes not yet compacted from which on compaction is worth while."},
    ConfigFact{"min.compaction.lag.ms", "0", ConfigType::long_integer,
               "The age up to which records are not compacted."},
    ConfigFact{"min.insync.replicas", "1", ConfigType::integer, "There is one replica."},
    ConfigFact{"retention.bytes", "-1", ConfigType::long_integer,
               "The size of a partition beyond which old segments are removed; -1: no bound."},
    ConfigFact{"retention.ms", "604800000", ConfigType::long_integer,
               "The age beyond which old segments are removed; -1: no bound."},
    ConfigFact{"segment.bytes", "1073741824", ConfigType::integer,
               "The size at which a new segment is begun."},
    ConfigFact{"segment.ms", "604800000", ConfigType::long_integer,
               "The age at which a new segment is begun."},
};

class Understanding {
 public:
  explicit Understanding(const ConfigMap& set) : set_(set) {}

  int64_t number(std::string_view name, int64_t least, int64_t most) {
    const std::string text(value_of(name));
    int64_t number = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size() || number < least ||
        number > most)
      complain(name, text,
               "a number from " + std::to_string(least) + " to " + std::to_string(most));
    return number;
  }

  std::string word(std::string_view name, std::initializer_list<std::string_view> allowed) {
    std::string text(value_of(name));
    if (std::ranges::find(allowed, text) == allowed.end())
      complain(name, text, joined(allowed, " or "));
    return text;
  }

  double share(std::string_view name) {
    const std::string text(value_of(name));
    double number = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size() || !(number >= 0 && number <= 1))
      complain(name, text, "a number from 0 to 1");
    return number;
  }

  // A list whose words come from `allowed`, at least one of them.
  std::set<std::string> words(std::string_view name,
                              std::initializer_list<std::string_view> allowed) {
    const std::string text(value_of(name));
    std::set<std::string> words;
    for (size_t at = 0; at <= text.size();) {
      size_t end = std::min(text.find(',', at), text.size());
      std::string word = text.substr(at, end - at);
      word.erase(0, word.find_first_not_of(' '));
      word.erase(word.find_last_not_of(' ') + 1);
      if (std::ranges::find(allowed, word) == allowed.end()) {
        complain(name, text, "a list of " + joined(allowed, " and "));
        break;
      }
      words.insert(std::move(word));
      at = end + 1;
    }
    return words;
  }

  std::optional<Error> error;

 private:
  static std::string joined(std::initializer_list<std::string_view> words,
                            std::string_view between) {
    std::string text;
    for (std::string_view word : words) text.append(text.empty() ? "" : between).append(word);
    return text;
  }
  std::string_view value_of(std::string_view name) const {
    auto found = set_.find(std::string(name));
    if (found != set_.end()) return found->second;
    return std::ranges::find(facts, name, &ConfigFact::name)->standard;
  }
  void complain(std::string_view name, const std::string& value, const std::string& allowed) {
    if (!error)
      error.emplace(Code::invalid, "setting " + std::string(name) + " cannot be '" + value +
                                       "': it is " + allowed);
  }

  const ConfigMap& set_;
};

}  // namespace

std::span<const ConfigFact> topic_config_facts() {
  return facts;
}

Result<TopicSettings> understand(const ConfigMap& set) {
  constexpr int64_t any = std::numeric_limits<int64_t>::max();
  constexpr int64_t int_max = std::numeric_limits<int32_t>::max();
  for (const auto& [name, value] : set) {
    if (std::ranges::find(facts, name, &ConfigFact::name) != facts.end()) continue;
    std::vector<std::string> known;
    for (const ConfigFact& fact : facts) known.emplace_back(fact.name);
    return Error(Code::invalid,
                 "a topic has no setting '" + name + "'" + nearest_hint(name, known));
  }
  Understanding u(set);
  TopicSettings settings;
  auto policies = u.words("cleanup.policy", {"delete", "compact"});
  settings.deletes = policies.contains("delete");
  settings.compacts = policies.contains("compact");
  u.word("compression.type", {"producer"});
  log::Compaction& compaction = settings.log.compaction;
  compaction.delete_retention_ms = u.number("delete.retention.ms", 0, any);
  compaction.dirty_ratio_min = u.share("min.cleanable.dirty.ratio");
  compaction.lag_min_ms = u.number("min.compaction.lag.ms", 0, any);
  compaction.lag_max_ms = u.number("max.compaction.lag.ms", 1, any);
  u.number("min.insync.replicas", 1, 1);
  std::string sync = u.word("fsync", {"always", "interval", "os"});
  settings.log.sync = sync == "always"     ? log::Sync::always
                      : sync == "interval" ? log::Sync::interval
                                           : log::Sync::os;
  settings.log.append_time =
      u.word("message.timestamp.type", {"CreateTime", "LogAppendTime"}) == "LogAppendTime";
  settings.log.segment_bytes = static_cast<uint64_t>(u.number("segment.bytes", 1024, int_max));
  settings.log.segment_ms = u.number("segment.ms", 1, any);
  settings.log.index_interval_bytes =
      static_cast<uint64_t>(u.number("index.interval.bytes", 64, int_max));
  settings.flush_ms = u.number("flush.ms", 1, any);
  settings.retention_ms = u.number("retention.ms", -1, any);
  settings.retention_bytes = u.number("retention.bytes", -1, any);
  settings.message_bytes_max = static_cast<size_t>(u.number("max.message.bytes", 100, 100 << 20));
  settings.timestamp_before_max_ms = u.number("message.timestamp.before.max.ms", 0, any);
  settings.timestamp_after_max_ms = u.number("message.timestamp.after.max.ms", 0, any);
  if (u.error) return *u.error;
  return settings;
}

}  // namespace pinpipe::broker
