#include "doors/rest/consumer_body.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/id.h"
#include "codec/json.h"
#include "doors/rest/media.h"

namespace pinpipe::rest {
namespace {

using broker::TopicPartition;
using codec::Json;

constexpr int64_t bytes_min_most = 10'000'000;
constexpr size_t name_bytes_max = 249;

std::unexpected<Refusal> refuse(int status, int code, std::string text, std::string hint = {}) {
  return std::unexpected(Refusal{status, code, std::move(text), std::move(hint)});
}

Parsed<Json> parse_object(std::string_view body, std::string_view shape) {
  if (is_blank(body)) {
    return refuse(422, 42206, "Payload error. Null input provided. Data is required.",
                  "The body is " + std::string(shape) + ".");
  }
  auto json = codec::parse_json(body);
  if (!json) {
    return refuse(400, 400, "Bad Request: the body is not JSON: " + json.error().text() + ".");
  }
  if (!json->is_object()) {
    return refuse(400, 400, "Bad Request: Cannot deserialize a " + std::string(json->type_name()),
                  "The body is " + std::string(shape) + ".");
  }
  return std::move(*json);
}

std::optional<Refusal> check_fields(const Json& json, std::span<const std::string_view> known) {
  for (const auto& [key, value] : json.members()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    std::string names;
    for (std::string_view one : known) names += (names.empty() ? "" : ", ") + std::string(one);
    return Refusal{422, 422, "Unrecognized field: " + key, "Known are " + names + "."};
  }
  return std::nullopt;
}

// Numbers and booleans are taken where the API has strings: clients send both.
std::optional<std::string> text_of(const Json& json) {
  if (auto text = json.as_string()) return std::string(*text);
  if (auto flag = json.as_bool()) return *flag ? "true" : "false";
  if (json.is_number()) return codec::to_json(json);
  return std::nullopt;
}

std::optional<int64_t> integer_of(const Json& json) {
  if (auto number = json.as_int()) return number;
  auto text = json.as_string();
  int64_t number = 0;
  if (!text || text->empty()) return std::nullopt;
  auto end = std::from_chars(text->data(), text->data() + text->size(), number);
  if (end.ec != std::errc() || end.ptr != text->data() + text->size()) return std::nullopt;
  return number;
}

std::optional<Refusal> read_settings(const Json& json, broker::ConsumerSpec& spec) {
  const std::string wrong = "Invalid consumer configuration: Invalid value ";
  if (const Json& reset = json["auto.offset.reset"]; !reset.is_null()) {
    auto text = text_of(reset).value_or("");
    if (text == "earliest") {
      spec.reset = broker::OffsetReset::earliest;
    } else if (text == "none") {
      spec.reset = broker::OffsetReset::none;
    } else if (text != "latest") {
      return Refusal{422, 42204,
                     wrong + text +
                         " for configuration auto.offset.reset: String must be one of: latest, "
                         "earliest, none",
                     ""};
    }
  }
  if (const Json& commits = json["auto.commit.enable"]; !commits.is_null()) {
    std::string text = lowered(text_of(commits).value_or(""));
    if (text != "true" && text != "false") {
      return Refusal{422, 42204,
                     wrong + text +
                         " for configuration enable.auto.commit: Expected value to be either true "
                         "or false",
                     ""};
    }
    spec.auto_commit = text == "true";
  }
  const std::string broken =
      "Invalid consumer configuration. It does not abide by the constraints: Invalid value ";
  if (const Json& bytes = json["fetch.min.bytes"]; !bytes.is_null()) {
    auto number = integer_of(bytes);
    if (!number || *number < -1 || *number > bytes_min_most) {
      return Refusal{422, 40001,
                     broken + codec::to_json(bytes) +
                         " for configuration fetch.min.bytes: must be between -1 and 10000000",
                     ""};
    }
    spec.bytes_min = *number;
  }
  if (const Json& wait = json["consumer.request.timeout.ms"]; !wait.is_null()) {
    auto number = integer_of(wait);
    if (!number || *number < 0 || *number > std::numeric_limits<int32_t>::max()) {
      return Refusal{422, 40001,
                     broken + codec::to_json(wait) +
                         " for configuration consumer.request.timeout.ms: must be a number of "
                         "milliseconds",
                     ""};
    }
    spec.wait_ms = *number;
  }
  return std::nullopt;
}

std::optional<Refusal> read_format(const Json& json, broker::ConsumerSpec& spec) {
  std::string format = text_of(json["format"]).value_or("binary");
  for (Embedded one : {Embedded::binary, Embedded::json}) {
    if (equal_without_case(format, name_of(one))) {
      spec.format = name_of(one);
      return std::nullopt;
    }
  }
  for (Embedded one : {Embedded::avro, Embedded::json_schema, Embedded::protobuf}) {
    if (!equal_without_case(format, name_of(one))) continue;
    return Refusal{422, 42204,
                   "Invalid consumer configuration: Missing required configuration "
                   "\"schema.registry.url\" which has no default value.",
                   "This server has no schema registry; \"format\" is json or binary."};
  }
  return Refusal{422, 422, "Invalid format type.", "\"format\" is json or binary."};
}

Parsed<TopicPartition> read_partition(const Json& json) {
  auto topic = json["topic"].as_string();
  auto partition = integer_of(json["partition"]);
  bool fits = partition && *partition >= 0 && *partition <= std::numeric_limits<int32_t>::max();
  if (!topic || topic->empty() || !fits) {
    return refuse(422, 422, codec::to_json(json) + " names no partition",
                  "A partition is {\"topic\":\"t\",\"partition\":0}.");
  }
  return TopicPartition{std::string(*topic), static_cast<broker::PartitionId>(*partition)};
}

}  // namespace

bool is_blank(std::string_view body) {
  return body.find_first_not_of(" \t\r\n") == body.npos;
}

Parsed<broker::ConsumerSpec> parse_consumer(std::string_view body, std::string group) {
  constexpr std::array<std::string_view, 9> known = {"name",
                                                     "id",
                                                     "format",
                                                     "auto.offset.reset",
                                                     "auto.commit.enable",
                                                     "fetch.min.bytes",
                                                     "responseMinBytes",
                                                     "consumer.request.timeout.ms",
                                                     "requestWaitMs"};
  broker::ConsumerSpec spec;
  spec.group = std::move(group);
  spec.format = name_of(Embedded::binary);
  auto json = parse_object(is_blank(body) ? "{}" : body, "{\"name\":…,\"format\":\"json\"}");
  if (!json) return std::unexpected(std::move(json.error()));
  if (auto refusal = check_fields(*json, known)) return std::unexpected(std::move(*refusal));
  // Older clients write two of the settings in other words.
  for (auto [old_name, name] : {std::pair{"responseMinBytes", "fetch.min.bytes"},
                                std::pair{"requestWaitMs", "consumer.request.timeout.ms"}}) {
    if (json->find(name) == nullptr && json->find(old_name) != nullptr)
      json->set(name, (*json)[old_name]);
  }
  if (auto refusal = read_format(*json, spec)) return std::unexpected(std::move(*refusal));
  if (auto refusal = read_settings(*json, spec)) return std::unexpected(std::move(*refusal));
  // An id beats a name, for historical reasons of the original.
  auto name = text_of((*json)["id"]);
  if (!name) name = text_of((*json)["name"]);
  spec.name = name ? std::move(*name) : "rest-consumer-" + Uuid::random().text();
  if (spec.name.empty() || spec.name.size() > name_bytes_max) {
    return refuse(422, 42204,
                  "Invalid consumer configuration: Invalid value for configuration name",
                  "A name has 1 to 249 bytes.");
  }
  return spec;
}

Parsed<SubscriptionBody> parse_subscription(std::string_view body) {
  constexpr std::array<std::string_view, 2> known = {"topics", "topic_pattern"};
  constexpr std::string_view shape = "{\"topics\":[\"t\"]} or {\"topic_pattern\":\"t.*\"}";
  auto json = parse_object(body, shape);
  if (!json) return std::unexpected(std::move(json.error()));
  if (auto refusal = check_fields(*json, known)) return std::unexpected(std::move(*refusal));
  SubscriptionBody parsed;
  for (const Json& topic : (*json)["topics"].elements()) {
    auto name = topic.as_string();
    if (!name || name->empty())
      return refuse(422, 422, codec::to_json(topic) + " is no topic", "\"topics\" has names.");
    parsed.topics.emplace_back(*name);
  }
  parsed.pattern = (*json)["topic_pattern"].as_string().value_or("");
  if (parsed.topics.empty() == parsed.pattern.empty()) {
    return refuse(422, 422, "one of topics and topic_pattern must be given",
                  "The body is " + std::string(shape) + ".");
  }
  return parsed;
}

Parsed<std::vector<TopicPartition>> parse_partitions(std::string_view body) {
  constexpr std::array<std::string_view, 1> known = {"partitions"};
  constexpr std::string_view shape = "{\"partitions\":[{\"topic\":\"t\",\"partition\":0}]}";
  auto json = parse_object(body, shape);
  if (!json) return std::unexpected(std::move(json.error()));
  if (auto refusal = check_fields(*json, known)) return std::unexpected(std::move(*refusal));
  const Json& list = (*json)["partitions"];
  if (!list.is_array())
    return refuse(422, 422, "partitions must not be null", "The body is " + std::string(shape));
  std::vector<TopicPartition> partitions;
  for (const Json& one : list.elements()) {
    auto partition = read_partition(one);
    if (!partition) return std::unexpected(std::move(partition.error()));
    partitions.push_back(std::move(*partition));
  }
  return partitions;
}

Parsed<std::vector<TopicPartition>> parse_partition_list(std::string_view text) {
  std::vector<TopicPartition> partitions;
  while (!text.empty()) {
    std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    size_t colon = one.rfind(':');
    broker::PartitionId partition = -1;
    if (colon != one.npos) {
      const char* end = one.data() + one.size();
      auto read = std::from_chars(one.data() + colon + 1, end, partition);
      if (read.ec != std::errc() || read.ptr != end) partition = -1;
    }
    if (partition < 0 || colon == 0) {
      return refuse(422, 422, std::string(one) + " names no partition",
                    "Write ?partitions=topic:0,topic:1.");
    }
    partitions.push_back({std::string(one.substr(0, colon)), partition});
  }
  return partitions;
}

Parsed<OffsetsBody> parse_offsets(std::string_view body) {
  constexpr std::array<std::string_view, 2> known = {"offsets", "timestamps"};
  auto json = parse_object(body, "{\"offsets\":[{\"topic\":\"t\",\"partition\":0,\"offset\":5}]}");
  if (!json) return std::unexpected(std::move(json.error()));
  if (auto refusal = check_fields(*json, known)) return std::unexpected(std::move(*refusal));
  OffsetsBody parsed;
  for (const Json& one : (*json)["offsets"].elements()) {
    auto where = read_partition(one);
    if (!where) return std::unexpected(std::move(where.error()));
    auto offset = integer_of(one["offset"]);
    if (!offset || *offset < 0 || *offset == std::numeric_limits<int64_t>::max())
      return refuse(422, 422, codec::to_json(one) + " has no offset", "Offsets are 0, 1, 2, …");
    parsed.offsets.push_back(
        {std::move(*where), *offset, std::string(one["metadata"].as_string().value_or(""))});
  }
  for (const Json& one : (*json)["timestamps"].elements()) {
    auto where = read_partition(one);
    if (!where) return std::unexpected(std::move(where.error()));
    auto time = one["timestamp"].as_int();
    if (auto text = one["timestamp"].as_string()) time = from_rfc3339(*text);
    if (!time) {
      return refuse(422, 422, codec::to_json(one) + " has no timestamp",
                    "A timestamp is \"2026-01-02T10:15:00Z\".");
    }
    parsed.timestamps.push_back({std::move(*where), *time});
  }
  if (parsed.offsets.empty() && parsed.timestamps.empty()) {
    return refuse(422, 422, "offsets must not be empty",
                  "The body is {\"offsets\":[{\"topic\":\"t\",\"partition\":0,\"offset\":5}]}.");
  }
  return parsed;
}

}  // namespace pinpipe::rest
