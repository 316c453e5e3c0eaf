#include "sink/config.h"

#include <charconv>
#include <fmt/format.h>
#include <regex>

#include "project/nearest.h"

namespace pinpipe::sink {
namespace {

enum class Use {
  used,      // changes what this connector does
  harmless,  // cannot change the result on a local store; any value is fine
  one_of,    // only the listed values mean what we do
  refused,   // only the listed values, which switch it off, are accepted
};

struct Rule {
  std::string_view key;
  Use use;
  std::string_view values;  // separated by '|'
  std::string_view default_value;
  std::string_view about;
};

constexpr Rule rules[] = {
    {"name", Use::used, "", "", "the connector's name"},
    {"connector.class", Use::one_of,
     "io.confluent.connect.s3.S3SinkConnector|S3SinkConnector|S3Sink|pinpipe.ObjectSink", "",
     "the S3 sink is the one connector here"},
    {"tasks.max", Use::used, "", "1", "how many tasks share the partitions"},
    {"topics", Use::used, "", "", "topics, separated by commas"},
    {"topics.regex", Use::used, "", "", "every topic whose whole name matches"},
    {"topics.dir", Use::used, "", "topics", "the first part of the objects' keys"},
    {"flush.size", Use::used, "", "", "records per object"},
    {"s3.bucket.name", Use::used, "", "", "where the objects go"},
    {"directory.delim", Use::used, "", "/", "between the parts of a key"},
    {"file.delim", Use::used, "", "+", "between topic, partition and offset in an object's name"},
    {"filename.offset.zero.pad.width", Use::used, "", "10", "digits of the offset in a name"},
    {"rotate.schedule.interval.ms", Use::used, "", "-1",
     "objects are closed at clock times that are multiples of this after midnight UTC"},
    {"timezone", Use::one_of, "UTC|GMT|Etc/UTC|Z", "UTC", "only UTC is known"},
    {"rotate.interval.ms", Use::refused, "-1", "-1",
     "it needs a time-based partitioner; use rotate.schedule.interval.ms or file.age.max.ms"},
    {"file.age.max.ms", Use::used, "", "-1", "an object is closed when its file is this old"},
    {"file.bytes.max", Use::used, "", "-1", "an object is closed when it has as many bytes"},
    {"s3.compression.type", Use::one_of, "none|gzip", "none", "how objects are compressed"},
    {"s3.compression.level", Use::refused, "-1", "-1", "the level of gzip is fixed"},
    {"format.class", Use::one_of, "io.confluent.connect.s3.format.json.JsonFormat|JsonFormat", "",
     "JSON lines are the one format here"},
    {"partitioner.class", Use::one_of,
     "io.confluent.connect.storage.partitioner.DefaultPartitioner|DefaultPartitioner",
     "io.confluent.connect.storage.partitioner.DefaultPartitioner",
     "partition=<n> is the one layout here"},
    {"storage.class", Use::one_of, "io.confluent.connect.s3.storage.S3Storage|S3Storage", "",
     "the object store"},
    {"schema.compatibility", Use::one_of, "NONE", "NONE", "records have no schemas here"},
    {"schema.generator.class", Use::harmless, "", "", "records have no schemas here"},
    {"value.converter", Use::one_of, "org.apache.kafka.connect.json.JsonConverter|JsonConverter",
     "org.apache.kafka.connect.json.JsonConverter", "values are JSON"},
    {"value.converter.schemas.enable", Use::one_of, "false", "false", "values carry no schemas"},
    {"key.converter", Use::harmless, "", "", "keys are not stored"},
    {"key.converter.schemas.enable", Use::harmless, "", "", "keys are not stored"},
    {"header.converter", Use::harmless, "", "", "headers are not stored"},
    {"store.kafka.keys", Use::refused, "false", "false", "keys are not stored"},
    {"store.kafka.headers", Use::refused, "false", "false", "headers are not stored"},
    {"behavior.on.null.values", Use::one_of, "fail|ignore", "fail", "what a tombstone does"},
    {"errors.tolerance", Use::one_of, "none|all", "none", "whether a bad record stops its task"},
    {"errors.deadletterqueue.topic.name", Use::used, "", "", "where bad records go"},
    {"errors.deadletterqueue.context.headers.enable", Use::one_of, "true|false", "false",
     "whether dead letters say why and where from, in headers"},
    {"errors.deadletterqueue.topic.replication.factor", Use::harmless, "", "3", "one copy here"},
    {"errors.log.enable", Use::harmless, "", "false", "bad records are always logged"},
    {"errors.log.include.messages", Use::refused, "false", "false",
     "records' contents are kept out of the log"},
    {"errors.retry.timeout", Use::refused, "0", "0", "reading a record again gives the same bytes"},
    {"errors.retry.delay.max.ms", Use::harmless, "", "60000", "no retries of conversions"},
    {"retry.backoff.ms", Use::used, "", "5000",
     "the longest pause before an upload is tried again"},
    {"s3.region", Use::harmless, "", "us-east-1", "the store has no regions"},
    {"s3.part.size", Use::harmless, "", "26214400", "objects are put whole"},
    {"s3.part.retries", Use::harmless, "", "3", "uploads are tried until they succeed"},
    {"s3.retry.backoff.ms", Use::harmless, "", "200", "see retry.backoff.ms"},
    {"s3.path.style.access.enabled", Use::harmless, "", "true", "the store has no host names"},
    {"s3.wan.mode", Use::harmless, "", "false", "the store is here"},
    {"s3.http.send.expect.continue", Use::harmless, "", "true", "the store is here"},
    {"s3.credentials.provider.class", Use::harmless, "", "", "the store is here"},
    {"s3.acl.canned", Use::refused, "", "", "there are no ACLs; access is the policy's"},
    {"s3.ssea.name", Use::refused, "", "", "objects are not encrypted"},
    {"s3.sse.kms.key.id", Use::refused, "", "", "objects are not encrypted"},
    {"s3.sse.customer.key", Use::refused, "", "", "objects are not encrypted"},
    {"s3.object.tagging", Use::refused, "false", "false", "there are no tags"},
    {"s3.proxy.url", Use::refused, "", "", "the store is reached without a proxy"},
    {"store.url", Use::refused, "", "", "objects go to pinpipe's own buckets"},
    {"aws.access.key.id", Use::harmless, "", "", "the store is here"},
    {"aws.secret.access.key", Use::harmless, "", "", "the store is here"},
    {"max.open.files.per.partition", Use::refused, "-1", "-1", "one file per partition is open"},
    {"append.late.data", Use::harmless, "", "false", "only time-based partitioners have late data"},
    {"partition.field.name", Use::refused, "", "", "it needs the FieldPartitioner"},
    {"path.format", Use::refused, "", "", "it needs a time-based partitioner"},
    {"partition.duration.ms", Use::refused, "", "", "it needs a time-based partitioner"},
    {"locale", Use::harmless, "", "", "no names depend on a language"},
    {"timestamp.extractor", Use::refused, "", "", "it needs a time-based partitioner"},
    {"timestamp.field", Use::refused, "", "", "it needs a time-based partitioner"},
    {"transforms", Use::refused, "", "", "there are no transforms here"},
    {"consumer.override.auto.offset.reset", Use::one_of, "earliest", "earliest",
     "a connector begins with the first record"},
};

const Rule* rule_of(std::string_view key) {
  for (const Rule& rule : rules) {
    if (rule.key == key) return &rule;
  }
  return nullptr;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    size_t end = std::min(text.find(separator), text.size());
    std::string_view part = text.substr(0, end);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool is_listed(std::string_view value, std::string_view values) {
  if (value.empty()) return values.empty();
  for (const std::string& one : split(values, '|')) {
    if (one == value) return true;
  }
  return false;
}

std::string first_problem(const std::string& key, const std::string& value) {
  const Rule* rule = rule_of(key);
  if (rule == nullptr) {
    std::vector<std::string> known;
    for (const Rule& one : rules) known.emplace_back(one.key);
    std::string near = project::nearest(key, known);
    return "is not known" + (near.empty() ? std::string() : "; did you mean " + near + "?");
  }
  if (rule->use == Use::one_of && !is_listed(value, rule->values))
    return fmt::format("'{}' is not supported: {} (accepted: {})", value, rule->about,
                       fmt::join(split(rule->values, '|'), ", "));
  if (rule->use == Use::refused && !value.empty() && !is_listed(value, rule->values))
    return fmt::format("is not supported: {}", rule->about);
  return {};
}

// Reads values out of the properties and collects what is wrong with them.
class Parser {
 public:
  explicit Parser(const Properties& properties) : properties_(properties) {
    for (const auto& [key, value] : properties) {
      std::string problem = first_problem(key, value);
      if (!problem.empty()) add(key, std::move(problem));
    }
    config_.properties = properties;
    read_names();
    read_topics();
    read_sizes();
    read_errors();
  }

  std::vector<KeyProblem> problems() const {
    std::vector<KeyProblem> all;
    for (const auto& [key, text] : problems_) all.push_back({key, text});
    return all;
  }
  SinkConfig take() { return std::move(config_); }

 private:
  void add(const std::string& key, std::string text) { problems_.emplace(key, std::move(text)); }

  std::string text(const std::string& key) const {
    auto found = properties_.find(key);
    if (found != properties_.end() && !found->second.empty()) return found->second;
    const Rule* rule = rule_of(key);
    return rule == nullptr ? std::string() : std::string(rule->default_value);
  }

  template <class T>
  void number(const std::string& key, T& into, int64_t least, int64_t most) {
    std::string value = text(key);
    if (value.empty()) return add(key, "is required");
    int64_t parsed = 0;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (error != std::errc() || end != value.data() + value.size() || parsed < least ||
        parsed > most)
      return add(key, fmt::format("'{}' is not a number from {} to {}", value, least, most));
    into = static_cast<T>(parsed);
  }

  // -1 switches it off.
  void span(const std::string& key, int64_t& into) {
    number(key, into, -1, int64_t{1} << 50);
    if (into == 0) add(key, "0 is neither a span nor -1 for none");
  }

  void read_names() {
    config_.name = text("name");
    if (config_.name.empty()) add("name", "is required");
    if (text("connector.class").empty()) add("connector.class", "is required");
    config_.bucket = text("s3.bucket.name");
    if (config_.bucket.empty()) add("s3.bucket.name", "is required");
    if (text("format.class").empty()) add("format.class", "is required");
    config_.topics_dir = text("topics.dir");
    config_.directory_delimiter = text("directory.delim");
    config_.file_delimiter = text("file.delim");
    number("filename.offset.zero.pad.width", config_.offset_digits, 0, 19);
    number("tasks.max", config_.tasks_max, 1, 1'000);
  }

  void read_topics() {
    config_.topics = split(text("topics"), ',');
    std::string pattern = text("topics.regex");
    if (!pattern.empty()) config_.topics_regex = pattern;
    if (config_.topics.empty() == pattern.empty())
      add("topics", "give either topics or topics.regex");
    try {
      std::regex parsed(pattern);
    } catch (const std::regex_error& error) {
      add("topics.regex", fmt::format("'{}' is no pattern: {}", pattern, error.what()));
    }
  }

  void read_sizes() {
    number("flush.size", config_.flush_size, 1, int64_t{1} << 40);
    span("rotate.schedule.interval.ms", config_.rotate_schedule_interval_ms);
    span("file.age.max.ms", config_.file_age_ms_max);
    span("file.bytes.max", config_.file_bytes_max);
    config_.gzip = text("s3.compression.type") == "gzip";
    number("retry.backoff.ms", config_.retry_backoff_ms, 1, 3'600'000);
  }

  void read_errors() {
    config_.tolerate_errors = text("errors.tolerance") == "all";
    config_.dead_letter_topic = text("errors.deadletterqueue.topic.name");
    config_.dead_letter_context = text("errors.deadletterqueue.context.headers.enable") == "true";
    config_.on_null = text("behavior.on.null.values") == "ignore" ? OnNull::ignore : OnNull::fail;
    if (!config_.dead_letter_topic.empty() && !config_.tolerate_errors)
      add("errors.deadletterqueue.topic.name", "is only used with errors.tolerance=all");
    if (!config_.dead_letter_topic.empty() && problems_.empty() &&
        config_.wants(config_.dead_letter_topic))
      add("errors.deadletterqueue.topic.name",
          "the connector would read its own dead letters: choose a name that it does not follow");
  }

  const Properties& properties_;
  SinkConfig config_;
  std::map<std::string, std::string> problems_;
};

}  // namespace

bool SinkConfig::wants(std::string_view topic) const {
  if (!topics_regex) return std::ranges::find(topics, topic) != topics.end();
  return std::regex_match(topic.begin(), topic.end(), std::regex(*topics_regex));
}

std::string SinkConfig::directory_of(std::string_view topic, int partition) const {
  return fmt::format("{0}{1}{2}{1}partition={3}{1}", topics_dir, directory_delimiter, topic,
                     partition);
}

std::string SinkConfig::key_of(std::string_view topic, int partition, int64_t first_offset) const {
  return fmt::format("{}{}{}{}{}{:0{}}.json{}", directory_of(topic, partition), topic,
                     file_delimiter, partition, file_delimiter, first_offset, offset_digits,
                     gzip ? ".gz" : "");
}

std::string SinkConfig::boundary_rule() const {
  return fmt::format("flush.size={} file.bytes.max={} dir={} names={}{}{} errors={} null={}",
                     flush_size, file_bytes_max, topics_dir, file_delimiter, offset_digits,
                     gzip ? ".gz" : "", tolerate_errors, on_null == OnNull::ignore);
}

std::vector<KeyProblem> problems_of(const Properties& properties) {
  return Parser(properties).problems();
}

Result<SinkConfig> parse_config(const Properties& properties) {
  Parser parser(properties);
  std::vector<KeyProblem> problems = parser.problems();
  if (problems.empty()) return parser.take();
  std::string text = "connector configuration";
  for (const KeyProblem& problem : problems) text += "\n  " + problem.key + ": " + problem.text;
  return Error(Code::invalid, std::move(text));
}

std::vector<KnownKey> known_keys() {
  std::vector<KnownKey> keys;
  for (const Rule& rule : rules) {
    if (rule.use == Use::refused) continue;
    bool required = rule.key == "name" || rule.key == "connector.class" ||
                    rule.key == "flush.size" || rule.key == "s3.bucket.name" ||
                    rule.key == "format.class";
    keys.push_back({rule.key, rule.default_value, required, rule.about});
  }
  return keys;
}

Result<Properties> parse_properties(std::string_view text) {
  Properties properties;
  std::string line;
  int number = 0;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (!piece.empty() && piece.back() == '\r') piece.remove_suffix(1);
    size_t start = piece.find_first_not_of(" \t\f");
    piece.remove_prefix(std::min(start, piece.size()));
    if (line.empty() && (piece.empty() || piece.front() == '#' || piece.front() == '!')) continue;
    if (!piece.empty() && piece.back() == '\\' && !text.empty()) {
      line += piece.substr(0, piece.size() - 1);
      continue;
    }
    line += piece;
    size_t key_end = line.find_first_of("=: \t");
    if (key_end == 0 || key_end == std::string::npos)
      return Error(Code::invalid, fmt::format("line {}: '{}' is no key=value", number, line));
    size_t value = line.find_first_not_of(" \t", key_end);
    if (value != std::string::npos && (line[value] == '=' || line[value] == ':'))
      value = line.find_first_not_of(" \t", value + 1);
    properties[line.substr(0, key_end)] =
        value == std::string::npos ? std::string() : line.substr(value);
    line.clear();
  }
  return properties;
}

}  // namespace pinpipe::sink
