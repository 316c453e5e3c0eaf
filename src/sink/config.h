// What a connector is told, in the keys of Confluent's S3 sink.
// Promise: every key is used, known to change nothing here, or refused by name with the reason;
// none is ignored. All problems are found at once, one per key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/json.h"
#include "sink/time_layout.h"

namespace pinpipe::sink {

using Properties = std::map<std::string, std::string>;

enum class OnNull { fail, ignore };

struct SinkConfig {
  std::string name;
  std::string bucket;
  std::vector<std::string> topics;          // either these
  std::optional<std::string> topics_regex;  // or all whose whole name matches
  std::string topics_dir = "topics";
  std::string directory_delimiter = "/";
  std::string file_delimiter = "+";
  int offset_digits = 10;
  int64_t flush_size = 0;
  int tasks_max = 1;
  int64_t rotate_interval_ms = -1;           // of the records' own times; needs `time`
  int64_t rotate_schedule_interval_ms = -1;  // clock times that divide the day of `timezone`
  int64_t file_age_ms_max = -1;              // ours: a file never stays open longer
  int64_t file_bytes_max = -1;               // ours: a file closes once it has as many bytes
  ZoneOffset timezone;
  std::optional<TimeLayout> time;  // directories by time instead of by partition
  bool gzip = false;
  bool tolerate_errors = false;
  std::string dead_letter_topic;
  bool dead_letter_context = false;
  OnNull on_null = OnNull::fail;
  int64_t retry_backoff_ms = 5'000;
  Properties properties;  // as given

  // Whether this topic is one of the connector's.
  bool wants(std::string_view topic) const;
  // topics/<topic>/<path>/, and without a path (no time layout) topics/<topic>/partition=<n>/
  std::string directory_of(std::string_view topic, int partition, std::string_view path = {}) const;
  // <topic>+<n>+
  std::string stem_of(std::string_view topic, int partition) const;
  // <directory><topic>+<n>+<first offset>.json
  std::string key_of(std::string_view topic, int partition, int64_t first_offset,
                     std::string_view path = {}) const;
  // What decides where files end, as text: the same records give the same files while it is the
  // same.
  std::string boundary_rule() const;
};

struct KeyProblem {
  std::string key;
  std::string text;
};

// Connect's validate: every key's problem, in key order.
std::vector<KeyProblem> problems_of(const Properties& properties, const Zones& zones = utc_only);
// `invalid` with all problems in one text.
Result<SinkConfig> parse_config(const Properties& properties, const Zones& zones = utc_only);

// "key=value" lines as in a .properties file: '#' and '!' comments, ':' or '=' or blank between key
// and value, '\' at a line's end joins the next.
Result<Properties> parse_properties(std::string_view text);
// An object of scalars; null is as good as absent. `invalid` names the key whose value is none.
Result<Properties> properties_of(const codec::Json& json);

}  // namespace pinpipe::sink
