// pinpipe.yaml
#include <algorithm>
#include <fmt/format.h>

#include "project/place.h"
#include "project/readers.h"

namespace pinpipe::project {
namespace {

constexpr int64_t ten_years_ms = 3'650LL * 86'400'000;

uint16_t read_port(Fields& fields, std::string_view key, uint16_t fallback) {
  const Node* value = fields.find(key);
  if (value != nullptr && value->kind == Node::Kind::scalar && value->text == "auto") return 0;
  return static_cast<uint16_t>(fields.integer(key, fallback, {1, 65'535}));
}

void read_ports(Fields& settings, Ports& ports, Diagnostics& out) {
  const Node* node = settings.find("ports");
  if (node == nullptr) return;
  if (node->kind == Node::Kind::scalar && node->text == "auto") {
    ports = {0, 0, 0, 0, 0, 0};
    return;
  }
  Fields fields(*node, "ports", out);
  ports.kafka = read_port(fields, "kafka", ports.kafka);
  ports.gateway = read_port(fields, "gateway", ports.gateway);
  ports.connect = read_port(fields, "connect", ports.connect);
  ports.aws = read_port(fields, "aws", ports.aws);
  ports.console = read_port(fields, "console", ports.console);
  ports.mysql = read_port(fields, "mysql", ports.mysql);
  fields.finish();
  std::map<uint16_t, std::string> taken;
  for (const Node::Entry& entry : node->entries) {
    auto number = integer_of(entry.value);
    if (!number || *number < 1 || *number > 65'535) continue;
    auto [other, fresh] = taken.emplace(static_cast<uint16_t>(*number), entry.key);
    if (fresh) continue;
    out.add(problems::duplicate_name, entry.value.at,
            fmt::format("port {} is {}'s already", *number, other->second),
            {.length = entry.value.text.size()});
  }
}

Fsync read_fsync(Fields& fields, Fsync fallback) {
  constexpr std::string_view names[] = {"always", "interval", "os"};
  std::string name = fields.choice("fsync", std::string(names[static_cast<size_t>(fallback)]),
                                   {"always", "interval", "os"});
  return name == "always" ? Fsync::always : name == "interval" ? Fsync::interval : Fsync::os;
}

void read_topic_fields(Fields& fields, TopicSettings& topic) {
  topic.partitions = static_cast<int>(fields.integer("partitions", topic.partitions, {1, 1000}));
  topic.retention_ms = fields.integer("retention_ms", topic.retention_ms, {-1, ten_years_ms});
  topic.retention_bytes = fields.integer("retention_bytes", topic.retention_bytes, {-1, INT64_MAX});
  topic.fsync = read_fsync(fields, topic.fsync);
  fields.finish();
}

void read_stream_fields(Fields& fields, StreamSettings& stream) {
  stream.shards = static_cast<int>(fields.integer("shards", stream.shards, {1, 500}));
  stream.retention_hours =
      static_cast<int>(fields.integer("retention_hours", stream.retention_hours, {24, 8760}));
  fields.finish();
}

void read_broker(Fields& settings, BrokerSettings& broker, Diagnostics& out) {
  if (const Node* node = settings.find("broker")) {
    Fields fields(*node, "broker", out);
    broker.auto_create_topics = fields.boolean("auto_create_topics", broker.auto_create_topics);
    broker.fsync_interval_ms =
        fields.integer("fsync_interval_ms", broker.fsync_interval_ms, {1, 3'600'000});
    if (const Node* shards = fields.find("streams")) {
      Fields inner(*shards, "broker.streams", out);
      read_stream_fields(inner, broker.stream_defaults);
    }
    // What stands beside these keys are the defaults of topics that say nothing themselves.
    read_topic_fields(fields, broker.topic_defaults);
  }
  settings.each("topics", [&](const Node::Entry& entry) {
    check_name(NameOf::topic, entry.key, entry.at, out);
    Fields fields(entry.value, "topic " + entry.key, out);
    TopicSettings topic = broker.topic_defaults;
    read_topic_fields(fields, topic);
    broker.topics[entry.key] = topic;
  });
  settings.each("streams", [&](const Node::Entry& entry) {
    check_name(NameOf::stream, entry.key, entry.at, out);
    Fields fields(entry.value, "stream " + entry.key, out);
    StreamSettings stream = broker.stream_defaults;
    read_stream_fields(fields, stream);
    broker.streams[entry.key] = stream;
  });
}

void read_buckets(Fields& settings, Project& project, Diagnostics& out) {
  project.buckets = settings.texts("buckets");
  const Node* node = settings.find("buckets");
  for (size_t i = 0; i < project.buckets.size(); ++i) {
    bool one_each =
        node->kind == Node::Kind::sequence && node->items.size() == project.buckets.size();
    Position at = one_each ? node->items[i].at : node->at;
    const std::string& name = project.buckets[i];
    check_name(NameOf::bucket, name, at, out);
    if (std::count(project.buckets.begin(), project.buckets.begin() + static_cast<long>(i), name)) {
      out.add(problems::duplicate_name, at, fmt::format("bucket {} is listed twice", name),
              {.length = name.size()});
    }
  }
}

void read_connectors(Fields& settings, Project& project, Diagnostics& out) {
  settings.each("connectors", [&](const Node::Entry& entry) {
    check_name(NameOf::connector, entry.key, entry.at, out);
    Connector connector{entry.key, {}};
    if (!entry.value.is_mapping()) {
      out.add(problems::wrong_type, entry.value.at,
              fmt::format("connector {} is a mapping of Kafka Connect's keys", entry.key));
      return;
    }
    for (const Node::Entry& config : entry.value.entries) {
      if (config.value.kind == Node::Kind::scalar) {
        connector.config[config.key] = config.value.text;
      } else {
        out.add(problems::wrong_type, config.value.at,
                fmt::format("{} is a single value, not {}", config.key, kind_name(config.value)));
      }
    }
    if (!connector.config.contains("connector.class")) {
      out.add(problems::missing_key, entry.at,
              fmt::format("connector {} needs the key connector.class", entry.key));
    }
    project.connectors.push_back(std::move(connector));
  });
}

void read_mappings(Fields& settings, Project& project, Diagnostics& out) {
  settings.each("mounts", [&](const Node::Entry& entry) {
    if (!entry.key.starts_with('/')) {
      out.add(problems::bad_name, entry.at, "a mount's path begins with /",
              {.length = entry.key.size()});
    }
    auto target = mount_target(entry.value.text);
    if (!target) {
      out.add(problems::bad_name, entry.value.at, target.error().text(),
              {.length = entry.value.text.size()});
      return;
    }
    check_name(NameOf::bucket, target->bucket, entry.value.at, out);
    project.mounts.push_back({entry.key, std::move(target->bucket), std::move(target->path)});
  });
  settings.each("notebooks", [&](const Node::Entry& entry) {
    if (entry.value.kind != Node::Kind::scalar) {
      out.add(
          problems::wrong_type, entry.value.at,
          fmt::format("a notebook stands for the name of a job, not {}", kind_name(entry.value)));
    }
    project.notebooks.push_back({entry.key, entry.value.text});
  });
  if (const Node* node = settings.find("pools")) {
    Fields fields(*node, "pools", out);
    for (const Node::Entry& entry : node->entries) {
      project.pools[entry.key] = static_cast<int>(fields.integer(entry.key, 1, {1, 10'000}));
    }
    fields.finish();
  }
}

void read_limits(Fields& settings, Project& project, Diagnostics& out) {
  Limits& limits = project.limits;
  if (const Node* node = settings.find("sql")) {
    Fields fields(*node, "sql", out);
    limits.sql_memory_bytes =
        fields.bytes("memory", limits.sql_memory_bytes, {64'000'000, INT64_MAX});
    limits.sql_disk_bytes = fields.bytes("disk", limits.sql_disk_bytes, {0, INT64_MAX});
    limits.sql_threads = static_cast<int>(fields.integer("threads", limits.sql_threads, {0, 1024}));
    fields.finish();
  }
  // "limits: aws" alone, or beside our own.
  const Node* bounds = settings.find("limits");
  if (bounds != nullptr && bounds->kind == Node::Kind::scalar && bounds->text == "aws") {
    limits.aws_streams = true;
  } else if (bounds != nullptr) {
    Fields fields(*bounds, "limits", out);
    limits.aws_streams = fields.choice("streams", "none", {"none", "aws"}) == "aws";
    limits.request_bytes = fields.bytes("request", limits.request_bytes, {1024, 1LL << 32});
    limits.connections =
        static_cast<int>(fields.integer("connections", limits.connections, {1, 1'000'000}));
    fields.finish();
  }
  if (const Node* node = settings.find("account")) {
    Fields fields(*node, "account", out);
    project.account.id = fields.text("id", project.account.id);
    project.account.region = fields.text("region", project.account.region);
    fields.finish();
  }
}

// Natural order: q2 before q10.
bool comes_before(std::string_view a, std::string_view b) {
  constexpr std::string_view digits = "0123456789";
  auto take_run = [&](std::string_view& text, bool of_digits) {
    size_t end = of_digits ? text.find_first_not_of(digits) : text.find_first_of(digits);
    std::string_view run = text.substr(0, end);
    text.remove_prefix(run.size());
    return run;
  };
  for (bool of_digits = false; !a.empty() || !b.empty(); of_digits = !of_digits) {
    std::string_view run_a = take_run(a, of_digits);
    std::string_view run_b = take_run(b, of_digits);
    if (of_digits && run_a.size() != run_b.size()) return run_a.size() < run_b.size();
    if (run_a != run_b) return run_a < run_b;
  }
  return false;
}

// Every file right in sql/queries is a query of that name; `queries` says which file a name means
// instead, adds names, or takes one away (no value).
void read_queries(Fields& settings, const SqlSources& sql, Project& project, Diagnostics& out) {
  constexpr std::string_view folder = "sql/queries/", ending = ".sql";
  std::map<std::string, std::string> chosen;
  for (const auto& [path, source] : sql) {
    if (!path.starts_with(folder)) continue;
    std::string name = path.substr(folder.size(), path.size() - folder.size() - ending.size());
    if (name.find('/') == std::string::npos) chosen[name] = path;
  }
  settings.each("queries", [&](const Node::Entry& entry) {
    chosen.erase(entry.key);
    if (entry.value.kind == Node::Kind::null) return;
    SqlFile file = sql_file_at(entry.value.text, entry.value.at, sql, out);
    if (!file.path.empty()) chosen[entry.key] = file.path;
  });
  for (const auto& [name, path] : chosen) {
    project.queries.push_back(read_query(name, path, sql, out));
  }
  std::sort(project.queries.begin(), project.queries.end(),
            [](const Query& a, const Query& b) { return comes_before(a.name, b.name); });
  settings.each("tables", [&](const Node::Entry& entry) {
    check_name(NameOf::table, entry.key, entry.at, out);
    project.tables.push_back({entry.key, sql_file_at(entry.value.text, entry.value.at, sql, out)});
  });
}

}  // namespace

void read_settings(const Node& tree, const SqlSources& sql, Project& project, Diagnostics& out) {
  Fields settings(tree, "pinpipe.yaml", out);
  (void)settings.integer("version", 1, {1, 1});
  project.name = settings.required_text("project");
  (void)settings.find("vars");  // read before everything else
  read_ports(settings, project.ports, out);
  read_broker(settings, project.broker, out);
  read_buckets(settings, project, out);
  read_connectors(settings, project, out);
  read_mappings(settings, project, out);
  read_limits(settings, project, out);
  read_access(settings, project, out);
  read_objects(settings, project.objects, out);
  if (const Node* node = settings.find("stream_job"))
    read_stream_job(*node, project.stream_job, out);
  project.shared_stream = settings.text("shared_stream");
  if (!project.shared_stream.empty())
    check_name(NameOf::stream, project.shared_stream, settings.place("shared_stream"), out);
  project.source = settings.text("source", "");
  read_queries(settings, sql, project, out);
  settings.finish();
}

}  // namespace pinpipe::project
