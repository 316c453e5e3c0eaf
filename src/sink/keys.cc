#include "sink/keys.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "project/nearest.h"

namespace pinpipe::sink {
namespace {

constexpr std::string_view default_partitioner =
    "io.confluent.connect.storage.partitioner.DefaultPartitioner";
constexpr std::string_view partitioners =
    "io.confluent.connect.storage.partitioner.DefaultPartitioner|DefaultPartitioner|"
    "io.confluent.connect.storage.partitioner.TimeBasedPartitioner|TimeBasedPartitioner|"
    "io.confluent.connect.storage.partitioner.DailyPartitioner|DailyPartitioner|"
    "io.confluent.connect.storage.partitioner.HourlyPartitioner|HourlyPartitioner";

constexpr Key table[] = {
    {"name", Use::used, "", "", "the connector's name", "STRING", true},
    {"connector.class", Use::one_of,
     "io.confluent.connect.s3.S3SinkConnector|S3SinkConnector|S3Sink|pinpipe.ObjectSink", "",
     "the S3 sink is the one connector here", "STRING", true},
    {"connector.plugin.version", Use::harmless, "", "", "there is one version of the plugin"},
    {"tasks.max", Use::used, "", "1", "how many tasks share the partitions", "INT"},
    {"tasks.max.enforce", Use::harmless, "", "true", "there are never more tasks", "BOOLEAN"},
    {"config.action.reload", Use::harmless, "", "restart", "no configuration has providers"},
    {"topics", Use::used, "", "", "topics, separated by commas", "LIST"},
    {"topics.regex", Use::used, "", "", "every topic whose whole name matches"},
    {"topics.dir", Use::used, "", "topics", "the first part of the objects' keys"},
    {"flush.size", Use::used, "", "", "records per object", "INT", true},
    {"s3.bucket.name", Use::used, "", "", "where the objects go", "STRING", true},
    {"directory.delim", Use::used, "", "/", "between the parts of a key"},
    {"file.delim", Use::used, "", "+", "between topic, partition and offset in an object's name"},
    {"filename.offset.zero.pad.width", Use::used, "", "10", "digits of the offset in a name",
     "INT"},
    {"rotate.interval.ms", Use::used, "", "-1",
     "objects are closed when their records span so much time; needs a time-based partitioner",
     "LONG"},
    {"rotate.schedule.interval.ms", Use::used, "", "-1",
     "objects are closed at clock times that are multiples of this after midnight in timezone",
     "LONG"},
    {"timezone", Use::used, "", "UTC", "of schedules and of time-based directories"},
    {"file.age.max.ms", Use::used, "", "-1", "an object is closed when its file is this old",
     "LONG"},
    {"file.bytes.max", Use::used, "", "-1", "an object is closed when it has as many bytes",
     "LONG"},
    {"s3.compression.type", Use::one_of, "none|gzip", "none", "how objects are compressed"},
    {"s3.compression.level", Use::refused, "-1", "-1", "the level of gzip is fixed", "INT"},
    {"format.class", Use::one_of, "io.confluent.connect.s3.format.json.JsonFormat|JsonFormat", "",
     "JSON lines are the one format here", "CLASS", true},
    {"partitioner.class", Use::one_of, partitioners, default_partitioner,
     "the directories: partition=<n>, or times", "CLASS"},
    {"partition.duration.ms", Use::used, "", "-1", "how much time a directory spans", "LONG"},
    {"path.format", Use::used, "", "",
     "a time-based directory's name, as 'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH"},
    {"locale", Use::used, "", "", "the language of month and day names; they are English here"},
    {"timestamp.extractor", Use::one_of, "Wallclock|Record|RecordField", "Wallclock",
     "which time a record belongs to"},
    {"timestamp.field", Use::used, "", "timestamp", "the field that holds it, dotted when nested"},
    {"partition.field.name", Use::refused, "", "", "it needs the FieldPartitioner", "LIST"},
    {"partition.field.format.path", Use::harmless, "", "true", "it belongs to the FieldPartitioner",
     "BOOLEAN"},
    {"partitioner.max.open.files", Use::refused, "-1", "-1",
     "open files are bounded by memory for all connectors together", "INT"},
    {"max.open.files.per.partition", Use::refused, "-1", "-1",
     "open files are bounded by memory for all connectors together", "INT"},
    {"append.late.data", Use::harmless, "", "false", "late records get objects of their own",
     "BOOLEAN"},
    {"storage.class", Use::one_of, "io.confluent.connect.s3.storage.S3Storage|S3Storage", "",
     "the object store", "CLASS"},
    {"schema.compatibility", Use::one_of, "NONE", "NONE", "records have no schemas here"},
    {"schema.generator.class", Use::harmless, "", "", "records have no schemas here", "CLASS"},
    {"schema.cache.size", Use::harmless, "", "1000", "records have no schemas here", "INT"},
    {"schemas.cache.config", Use::harmless, "", "1000", "records have no schemas here", "INT"},
    {"enhanced.avro.schema.support", Use::harmless, "", "true", "objects are JSON", "BOOLEAN"},
    {"connect.meta.data", Use::harmless, "", "true", "objects are JSON", "BOOLEAN"},
    {"allow.optional.map.keys", Use::harmless, "", "false", "objects are JSON", "BOOLEAN"},
    {"avro.codec", Use::refused, "null", "null", "objects are JSON"},
    {"parquet.codec", Use::refused, "none|snappy", "snappy", "objects are JSON"},
    {"format.bytearray.extension", Use::harmless, "", ".bin", "objects are JSON"},
    {"format.bytearray.separator", Use::harmless, "", "", "objects are JSON"},
    {"json.decimal.format", Use::harmless, "", "BASE64", "numbers stay as they were written"},
    {"value.converter", Use::one_of, "org.apache.kafka.connect.json.JsonConverter|JsonConverter",
     "org.apache.kafka.connect.json.JsonConverter", "values are JSON", "CLASS"},
    {"value.converter.schemas.enable", Use::one_of, "false", "false", "values carry no schemas",
     "BOOLEAN"},
    {"value.converter.schemas.cache.size", Use::harmless, "", "1000", "values carry no schemas",
     "INT"},
    {"value.converter.decimal.format", Use::harmless, "", "BASE64", "values carry no schemas"},
    {"value.converter.replace.null.with.default", Use::harmless, "", "true",
     "values carry no schemas", "BOOLEAN"},
    {"key.converter", Use::harmless, "", "", "keys are not stored", "CLASS"},
    {"key.converter.", Use::harmless, "", "", "keys are not stored"},
    {"header.converter", Use::harmless, "", "", "headers are not stored", "CLASS"},
    {"header.converter.", Use::harmless, "", "", "headers are not stored"},
    {"store.kafka.keys", Use::refused, "false", "false", "keys are not stored", "BOOLEAN"},
    {"store.kafka.headers", Use::refused, "false", "false", "headers are not stored", "BOOLEAN"},
    {"keys.format.class", Use::harmless, "", "", "keys are not stored", "CLASS"},
    {"headers.format.class", Use::harmless, "", "", "headers are not stored", "CLASS"},
    {"behavior.on.null.values", Use::one_of, "fail|ignore", "fail", "what a tombstone does"},
    {"tombstone.encoded.partition", Use::harmless, "", "tombstone",
     "it belongs to behavior.on.null.values=write"},
    {"errors.tolerance", Use::one_of, "none|all", "none", "whether a bad record stops its task"},
    {"errors.deadletterqueue.topic.name", Use::used, "", "", "where bad records go"},
    {"errors.deadletterqueue.context.headers.enable", Use::one_of, "true|false", "false",
     "whether dead letters say why and where from, in headers", "BOOLEAN"},
    {"errors.deadletterqueue.topic.replication.factor", Use::harmless, "", "3", "one copy here",
     "SHORT"},
    {"errors.log.enable", Use::harmless, "", "false", "bad records are always logged", "BOOLEAN"},
    {"errors.log.include.messages", Use::refused, "false", "false",
     "records' contents are kept out of the log", "BOOLEAN"},
    {"errors.retry.timeout", Use::refused, "0", "0", "reading a record again gives the same bytes",
     "LONG"},
    {"errors.retry.delay.max.ms", Use::harmless, "", "60000", "no retries of conversions", "LONG"},
    {"retry.backoff.ms", Use::used, "", "5000", "the longest pause before an upload is tried again",
     "LONG"},
    {"shutdown.timeout.ms", Use::harmless, "", "3000", "what is under way is always finished",
     "LONG"},
    {"max.write.duration", Use::harmless, "", "9223372036854775807", "writing never holds a poll",
     "LONG"},
    {"s3.region", Use::harmless, "", "us-east-1", "the project's `objects` says it"},
    {"s3.part.size", Use::harmless, "", "26214400", "objects are put whole", "INT"},
    {"s3.part.retries", Use::harmless, "", "3", "uploads are tried until they succeed", "INT"},
    {"s3.retry.backoff.ms", Use::harmless, "", "200", "see retry.backoff.ms", "LONG"},
    {"s3.path.style.access.enabled", Use::harmless, "", "true", "the project's `objects` says how",
     "BOOLEAN"},
    {"s3.wan.mode", Use::harmless, "", "false", "the project's `objects` says how", "BOOLEAN"},
    {"s3.http.send.expect.continue", Use::harmless, "", "true", "the project's `objects` says how",
     "BOOLEAN"},
    {"s3.http.send.uncompressed", Use::harmless, "", "false", "the project's `objects` says how",
     "BOOLEAN"},
    {"s3.send.digest", Use::harmless, "", "false", "the project's `objects` says how", "BOOLEAN"},
    {"s3.elastic.buffer.enable", Use::harmless, "", "false", "buffers grow with their records",
     "BOOLEAN"},
    {"s3.elastic.buffer.init.capacity", Use::harmless, "", "131072",
     "buffers grow with their records", "INT"},
    {"s3.credentials.provider.class", Use::harmless, "", "", "the project's `objects` says how",
     "CLASS"},
    {"s3.credentials.provider.", Use::harmless, "", "", "the project's `objects` says how"},
    {"aws.access.key.id", Use::harmless, "", "", "the project's `objects` says how"},
    {"aws.secret.access.key", Use::harmless, "", "", "the project's `objects` says how",
     "PASSWORD"},
    {"s3.acl.canned", Use::refused, "", "", "there are no ACLs; access is the policy's"},
    {"s3.ssea.name", Use::refused, "", "", "objects are not encrypted"},
    {"s3.sse.kms.key.id", Use::refused, "", "", "objects are not encrypted"},
    {"s3.sse.customer.key", Use::refused, "", "", "objects are not encrypted", "PASSWORD"},
    {"s3.object.tagging", Use::refused, "false", "false", "there are no tags", "BOOLEAN"},
    {"s3.object.tagging.key.value.pairs", Use::refused, "", "", "there are no tags", "LIST"},
    {"s3.object.behavior.on.tagging.error", Use::harmless, "", "ignore", "there are no tags"},
    {"s3.schema.partition.affix.type", Use::refused, "NONE", "NONE",
     "records have no schemas here"},
    {"s3.proxy.url", Use::refused, "", "", "stores are reached without a proxy"},
    {"s3.proxy.user", Use::refused, "", "", "stores are reached without a proxy"},
    {"s3.proxy.password", Use::refused, "", "", "stores are reached without a proxy", "PASSWORD"},
    {"store.url", Use::refused, "", "", "the project's `objects` says where objects go"},
    {"transforms", Use::refused, "", "", "there are no transforms here", "LIST"},
    {"transforms.", Use::refused, "", "", "there are no transforms here"},
    {"predicates", Use::refused, "", "", "there are no transforms here", "LIST"},
    {"predicates.", Use::refused, "", "", "there are no transforms here"},
    {"consumer.override.auto.offset.reset", Use::one_of, "earliest", "earliest",
     "a connector begins with the first record"},
    {"consumer.override.", Use::refused, "", "", "the connector reads the log without a consumer"},
    {"producer.override.", Use::refused, "", "", "the connector writes no topic by a producer"},
    {"admin.override.", Use::refused, "", "", "the connector makes no topic by an admin client"},
    {"confluent.license", Use::harmless, "", "", "no licence is needed", "PASSWORD"},
    {"confluent.topic.", Use::harmless, "", "", "no licence is needed"},
};

bool is_listed(std::string_view value, std::string_view values) {
  if (value.empty()) return values.empty();
  std::vector<std::string> all = split_list(values, '|');
  return std::ranges::find(all, value) != all.end();
}

}  // namespace

std::span<const Key> keys() {
  return table;
}

const Key* find_key(std::string_view name) {
  const Key* family = nullptr;
  for (const Key& key : table) {
    if (key.name == name) return &key;
    if (key.name.ends_with('.') && name.starts_with(key.name)) family = &key;
  }
  return family;
}

std::vector<std::string> split_list(std::string_view text, char separator) {
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

std::string first_problem(std::string_view name, std::string_view value) {
  const Key* key = find_key(name);
  if (key == nullptr) {
    std::vector<std::string> known;
    for (const Key& one : table) known.emplace_back(one.name);
    std::string near = project::nearest(name, known);
    return "is not known" + (near.empty() ? std::string() : "; did you mean " + near + "?");
  }
  if (key->use == Use::one_of && !is_listed(value, key->values))
    return fmt::format("'{}' is not supported: {} (accepted: {})", value, key->about,
                       fmt::join(split_list(key->values, '|'), ", "));
  if (key->use == Use::refused && !value.empty() && !is_listed(value, key->values))
    return fmt::format("is not supported: {}", key->about);
  return {};
}

}  // namespace pinpipe::sink
