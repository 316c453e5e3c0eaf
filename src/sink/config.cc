#include "sink/config.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <regex>

#include "sink/keys.h"

namespace pinpipe::sink {
namespace {

constexpr int64_t hour_ms = 3'600'000;

// Reads values out of the properties and collects what is wrong with them.
class Parser {
 public:
  Parser(const Properties& properties, const Zones& zones)
      : properties_(properties), zones_(zones) {
    for (const auto& [key, value] : properties) {
      std::string problem = first_problem(key, value);
      if (!problem.empty()) add(key, std::move(problem));
    }
    config_.properties = properties;
    read_names();
    read_topics();
    read_sizes();
    read_times();
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
    const Key* known = find_key(key);
    return known == nullptr ? std::string() : std::string(known->default_value);
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
    config_.topics = split_list(text("topics"), ',');
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

  void read_times() {
    auto zone = zones_(text("timezone"));
    if (zone) config_.timezone = std::move(*zone);
    if (!zone) add("timezone", zone.error().text());
    span("rotate.interval.ms", config_.rotate_interval_ms);
    std::string partitioner = text("partitioner.class");
    partitioner.erase(0, partitioner.rfind('.') + 1);
    if (partitioner == "DefaultPartitioner") return refuse_times();
    TimeLayout layout;
    layout.offset = config_.timezone;
    std::string pattern = text("path.format");
    std::string delimiter = text("directory.delim");
    layout.duration_ms = partitioner == "DailyPartitioner" ? 24 * hour_ms : hour_ms;
    if (partitioner == "TimeBasedPartitioner") {
      number("partition.duration.ms", layout.duration_ms, 1, int64_t{1} << 50);
      if (pattern.empty()) add("path.format", "is required by the TimeBasedPartitioner");
    } else {
      pattern = "'year'=YYYY" + delimiter + "'month'=MM" + delimiter + "'day'=dd";
      if (partitioner == "HourlyPartitioner") pattern += delimiter + "'hour'=HH";
    }
    if (properties_.find("timezone") == properties_.end())
      add("timezone", "is required by time-based partitioners");
    std::string locale = text("locale");
    if (locale.empty()) add("locale", "is required by time-based partitioners");
    auto format = PathFormat::parse(pattern);
    if (!format) return add("path.format", format.error().text());
    layout.format = std::move(*format);
    if (layout.format.has_names() && !locale.empty() && !locale.starts_with("en"))
      add("locale", "names of months and days are English here; use numbers or an English locale");
    std::string extractor = text("timestamp.extractor");
    layout.extractor = extractor == "Record"        ? TimeLayout::Extractor::record
                       : extractor == "RecordField" ? TimeLayout::Extractor::field
                                                    : TimeLayout::Extractor::wallclock;
    layout.field = text("timestamp.field");
    config_.time = std::move(layout);
  }

  // What only time-based partitioners use is told where it would do nothing.
  void refuse_times() {
    for (const char* key : {"path.format", "timestamp.extractor", "timestamp.field"}) {
      auto given = properties_.find(key);
      if (given != properties_.end() && !given->second.empty())
        add(key, "needs a time-based partitioner.class");
    }
    if (config_.rotate_interval_ms > 0)
      add("rotate.interval.ms",
          "needs a time-based partitioner.class, whose timestamp.extractor it goes by; use "
          "rotate.schedule.interval.ms or file.age.max.ms");
    if (!text("partition.duration.ms").starts_with('-'))
      add("partition.duration.ms", "needs a time-based partitioner.class");
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
  const Zones& zones_;
  SinkConfig config_;
  std::map<std::string, std::string> problems_;
};

}  // namespace

bool SinkConfig::wants(std::string_view topic) const {
  if (!topics_regex) return std::ranges::find(topics, topic) != topics.end();
  return std::regex_match(topic.begin(), topic.end(), std::regex(*topics_regex));
}

std::string SinkConfig::directory_of(std::string_view topic, int partition,
                                     std::string_view path) const {
  if (time) return fmt::format("{0}{1}{2}{1}{3}{1}", topics_dir, directory_delimiter, topic, path);
  return fmt::format("{0}{1}{2}{1}partition={3}{1}", topics_dir, directory_delimiter, topic,
                     partition);
}

std::string SinkConfig::stem_of(std::string_view topic, int partition) const {
  return fmt::format("{0}{1}{2}{1}", topic, file_delimiter, partition);
}

std::string SinkConfig::key_of(std::string_view topic, int partition, int64_t first_offset,
                               std::string_view path) const {
  return fmt::format("{}{}{:0{}}.json{}", directory_of(topic, partition, path),
                     stem_of(topic, partition), first_offset, offset_digits, gzip ? ".gz" : "");
}

std::string SinkConfig::boundary_rule() const {
  std::string rule = fmt::format(
      "flush.size={} file.bytes.max={} bucket={} dir={}{} names={}{}{} errors={} null={}",
      flush_size, file_bytes_max, bucket, topics_dir, directory_delimiter, file_delimiter,
      offset_digits, gzip ? ".gz" : "", tolerate_errors, on_null == OnNull::ignore);
  if (!time) return rule;
  for (const char* key : {"partitioner.class", "path.format", "partition.duration.ms", "timezone",
                          "timestamp.extractor", "timestamp.field", "rotate.interval.ms"}) {
    if (auto given = properties.find(key); given != properties.end())
      rule += fmt::format(" {}={}", key, given->second);
  }
  return rule;
}

std::vector<KeyProblem> problems_of(const Properties& properties, const Zones& zones) {
  return Parser(properties, zones).problems();
}

Result<SinkConfig> parse_config(const Properties& properties, const Zones& zones) {
  Parser parser(properties, zones);
  std::vector<KeyProblem> problems = parser.problems();
  if (problems.empty()) return parser.take();
  std::string text = "connector configuration";
  for (const KeyProblem& problem : problems) text += "\n  " + problem.key + ": " + problem.text;
  return Error(Code::invalid, std::move(text));
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

Result<Properties> properties_of(const codec::Json& json) {
  if (!json.is_object())
    return Error(Code::invalid, "a configuration is an object of keys and values");
  Properties properties;
  for (const codec::JsonMember& member : json.members()) {
    const codec::Json& value = member.value;
    if (value.is_object() || value.is_array())
      return Error(Code::invalid, "the value of " + member.key + " is no text");
    if (value.is_null()) continue;
    auto text = value.as_string();
    properties[member.key] = text ? std::string(*text) : codec::to_json(value);
  }
  return properties;
}

}  // namespace pinpipe::sink
