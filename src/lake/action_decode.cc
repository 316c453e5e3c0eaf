#include <fmt/format.h>

#include "codec/json.h"
#include "lake/action.h"

namespace pinpipe::lake {
namespace {

using codec::JsonCursor;
using codec::JsonScanner;

// Reads the members of one action. The first wrong type is kept; the rest is then of no interest.
class Members {
 public:
  std::string text(std::string_view name, JsonCursor value) {
    auto got = value.string(buffer_);
    if (got) return std::string(*got);
    fail(name, "text");
    return {};
  }
  int64_t number(std::string_view name, JsonCursor value) {
    if (auto got = value.as_int()) return *got;
    fail(name, "an integer");
    return 0;
  }
  bool flag(std::string_view name, JsonCursor value) {
    if (auto got = value.as_bool()) return *got;
    fail(name, "true or false");
    return false;
  }
  std::string object(std::string_view name, JsonCursor value) {
    if (value.is_object()) return std::string(value.raw());
    fail(name, "an object");
    return {};
  }
  std::vector<std::string> texts(std::string_view name, JsonCursor value) {
    if (!value.is_array()) fail(name, "a list");
    std::vector<std::string> list;
    for (JsonCursor element : value.elements()) list.push_back(text(name, element));
    return list;
  }
  PartitionValues partition_values(std::string_view name, JsonCursor value) {
    if (!value.is_object()) fail(name, "an object");
    PartitionValues values;
    for (const auto& [key, cell] : value.fields()) {
      std::string column(key);
      // The protocol's empty text means null as well.
      std::optional<std::string> content;
      if (!cell.is_null()) content = text(name, cell);
      if (content && content->empty()) content.reset();
      values.emplace_back(std::move(column), std::move(content));
    }
    return values;
  }
  std::map<std::string, std::string> map(std::string_view name, JsonCursor value) {
    if (!value.is_object()) fail(name, "an object");
    std::map<std::string, std::string> result;
    for (const auto& [key, cell] : value.fields()) {
      std::string at(key);
      if (!cell.is_null()) result[std::move(at)] = text(name, cell);
    }
    return result;
  }

  void need(bool present, std::string_view name) {
    if (!present && !error_) error_ = Error(Code::corrupt, fmt::format("{} is missing", name));
  }
  void fail(std::string_view name, std::string_view expected) {
    if (!error_) error_ = Error(Code::corrupt, fmt::format("{} is not {}", name, expected));
  }
  Status status() const {
    if (error_) return *error_;
    return {};
  }

 private:
  std::string buffer_;
  std::optional<Error> error_;
};

std::string id_of_deletion_vector(Members& members, JsonCursor value) {
  std::string storage;
  std::string where;
  std::string offset;
  for (const auto& [key, cell] : value.fields()) {
    if (cell.is_null()) continue;
    if (key == "storageType") storage = members.text("storageType", cell);
    if (key == "pathOrInlineDv") where = members.text("pathOrInlineDv", cell);
    if (key == "offset") offset = fmt::format("@{}", members.number("offset", cell));
  }
  members.need(!storage.empty() && !where.empty(), "deletionVector.storageType");
  return storage + where + offset;
}

Status decode_add(JsonCursor value, Actions& into) {
  Members members;
  AddFile add;
  for (const auto& [key, cell] : value.fields()) {
    if (cell.is_null()) continue;
    if (key == "path") {
      add.path = members.text("path", cell);
    } else if (key == "partitionValues") {
      add.partition_values = members.partition_values("partitionValues", cell);
    } else if (key == "size") {
      add.size = members.number("size", cell);
    } else if (key == "modificationTime") {
      add.modified_ms = members.number("modificationTime", cell);
    } else if (key == "dataChange") {
      add.data_change = members.flag("dataChange", cell);
    } else if (key == "stats") {
      add.stats = members.text("stats", cell);
    } else if (key == "tags") {
      add.tags = members.object("tags", cell);
    } else if (key == "deletionVector") {
      add.deletion_vector = members.object("deletionVector", cell);
      add.deletion_vector_id = id_of_deletion_vector(members, cell);
    }
  }
  members.need(!add.path.empty(), "path");
  if (add.size < 0) members.fail("size", "zero or more");
  into.adds.push_back(std::move(add));
  return members.status();
}

Status decode_remove(JsonCursor value, Actions& into) {
  Members members;
  RemoveFile remove;
  for (const auto& [key, cell] : value.fields()) {
    if (cell.is_null()) continue;
    if (key == "path") {
      remove.path = members.text("path", cell);
    } else if (key == "deletionTimestamp") {
      remove.deleted_ms = members.number("deletionTimestamp", cell);
    } else if (key == "dataChange") {
      remove.data_change = members.flag("dataChange", cell);
    } else if (key == "size") {
      remove.size = members.number("size", cell);
    } else if (key == "partitionValues") {
      remove.partition_values = members.partition_values("partitionValues", cell);
    } else if (key == "deletionVector") {
      remove.deletion_vector = members.object("deletionVector", cell);
      remove.deletion_vector_id = id_of_deletion_vector(members, cell);
    }
  }
  members.need(!remove.path.empty(), "path");
  into.removes.push_back(std::move(remove));
  return members.status();
}

Status decode_txn(JsonCursor value, Actions& into) {
  Members members;
  Txn txn;
  bool has_id = false;
  bool has_version = false;
  for (const auto& [key, cell] : value.fields()) {
    if (cell.is_null()) continue;
    if (key == "appId") {
      txn.app_id = members.text("appId", cell);
      has_id = true;
    } else if (key == "version") {
      txn.version = members.number("version", cell);
      has_version = true;
    } else if (key == "lastUpdated") {
      txn.updated_ms = members.number("lastUpdated", cell);
    }
  }
  members.need(has_id, "appId");
  members.need(has_version, "version");
  into.txns.push_back(std::move(txn));
  return members.status();
}

Status decode_metadata(JsonCursor value, Actions& into) {
  Members members;
  Metadata metadata;
  for (const auto& [key, cell] : value.fields()) {
    if (cell.is_null()) continue;
    if (key == "id") {
      metadata.id = members.text("id", cell);
    } else if (key == "name") {
      metadata.name = members.text("name", cell);
    } else if (key == "description") {
      metadata.description = members.text("description", cell);
    } else if (key == "schemaString") {
      metadata.schema_string = members.text("schemaString", cell);
    } else if (key == "partitionColumns") {
      metadata.partition_columns = members.texts("partitionColumns", cell);
    } else if (key == "configuration") {
      metadata.configuration = members.map("configuration", cell);
    } else if (key == "createdTime") {
      metadata.created_ms = members.number("createdTime", cell);
    }
  }
  members.need(!metadata.schema_string.empty(), "schemaString");
  if (into.metadata) members.fail("metaData", "there at most once");
  into.metadata = std::move(metadata);
  return members.status();
}

Status decode_protocol(JsonCursor value, Actions& into) {
  Members members;
  Protocol protocol{.min_reader_version = 0,
                    .min_writer_version = 0,
                    .reader_features = {},
                    .writer_features = {}};
  for (const auto& [key, cell] : value.fields()) {
    if (cell.is_null()) continue;
    if (key == "minReaderVersion") {
      protocol.min_reader_version = static_cast<int>(members.number("minReaderVersion", cell));
    } else if (key == "minWriterVersion") {
      protocol.min_writer_version = static_cast<int>(members.number("minWriterVersion", cell));
    } else if (key == "readerFeatures") {
      protocol.reader_features = members.texts("readerFeatures", cell);
    } else if (key == "writerFeatures") {
      protocol.writer_features = members.texts("writerFeatures", cell);
    }
  }
  members.need(protocol.min_reader_version > 0, "minReaderVersion");
  members.need(protocol.min_writer_version > 0, "minWriterVersion");
  if (into.protocol) members.fail("protocol", "there at most once");
  into.protocol = std::move(protocol);
  return members.status();
}

Status decode_sidecar(JsonCursor value, Actions& into) {
  Members members;
  std::string path;
  for (const auto& [key, cell] : value.fields()) {
    if (key == "path" && !cell.is_null()) path = members.text("path", cell);
  }
  members.need(!path.empty(), "path");
  into.sidecars.push_back(std::move(path));
  return members.status();
}

Status decode_action(std::string_view name, JsonCursor value, Actions& into) {
  if (name == "add") return decode_add(value, into);
  if (name == "remove") return decode_remove(value, into);
  if (name == "txn") return decode_txn(value, into);
  if (name == "metaData") return decode_metadata(value, into);
  if (name == "protocol") return decode_protocol(value, into);
  if (name == "sidecar") return decode_sidecar(value, into);
  if (name == "commitInfo") into.commit_info = value.raw();
  return {};
}

std::string text_or_json(const codec::Json& json) {
  if (auto text = json.as_string()) return std::string(*text);
  return codec::to_json(json);
}

std::map<std::string, std::string> texts_of(const codec::Json& object) {
  std::map<std::string, std::string> map;
  for (const codec::JsonMember& member : object.members()) {
    if (!member.value.is_null()) map[member.key] = text_or_json(member.value);
  }
  return map;
}

std::string text_of(const codec::Json& json) {
  return std::string(json.as_string().value_or(""));
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

}  // namespace

Status decode_line(JsonScanner& scanner, std::string_view line, Actions& into) {
  auto root = scanner.scan(line);
  if (!root) return Error(Code::corrupt, root.error().text());
  if (!root->is_object()) return Error(Code::corrupt, "not a JSON object");
  for (const auto& [name, value] : root->fields()) {
    if (!value.is_object()) continue;
    auto decoded = decode_action(name, value, into);
    if (!decoded) return decoded.error().with(name);
  }
  return {};
}

Result<Actions> decode_commit(JsonScanner& scanner, std::string_view bytes) {
  if (bytes.size() > commit_bytes_max) return Error(Code::invalid, "the commit is too large");
  Actions actions;
  size_t line_number = 0;
  bool any = false;
  while (!bytes.empty()) {
    ++line_number;
    size_t end = bytes.find('\n');
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    any = true;
    auto decoded = decode_line(scanner, line, actions);
    if (!decoded) return decoded.error().with(fmt::format("line {}", line_number));
  }
  if (!any) return Error(Code::corrupt, "empty: its writer crashed before the commit was whole");
  return actions;
}

Result<CommitInfo> decode_commit_info(std::string_view json) {
  CommitInfo info;
  if (json.empty()) return info;
  auto parsed = codec::parse_json(json);
  if (!parsed) return std::move(parsed.error()).with("commitInfo");
  const codec::Json& root = *parsed;
  info.timestamp_ms = root["timestamp"].as_int().value_or(0);
  info.in_commit_ms = root["inCommitTimestamp"].as_int();
  info.operation = text_of(root["operation"]);
  info.parameters = texts_of(root["operationParameters"]);
  info.read_version = root["readVersion"].as_int();
  info.isolation_level = text_of(root["isolationLevel"]);
  info.is_blind_append = root["isBlindAppend"].as_bool();
  info.metrics = texts_of(root["operationMetrics"]);
  info.user_metadata = text_of(root["userMetadata"]);
  info.engine = text_of(root["engineInfo"]);
  info.txn_id = text_of(root["txnId"]);
  info.project_sql_sha256 = text_of(root["projectSqlSha256"]);
  for (const codec::Json& position : root["sourcePositions"].elements()) {
    info.positions.push_back(SourcePosition{.source = text_of(position["source"]),
                                            .from = text_of(position["from"]),
                                            .to = text_of(position["to"])});
  }
  return info;
}

Result<std::string> decode_path(std::string_view path) {
  auto refuse = [&](std::string_view why) {
    return Error(Code::invalid, fmt::format("data file \"{}\": {}", path, why));
  };
  std::string plain;
  plain.reserve(path.size());
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      plain += path[i];
      continue;
    }
    auto high = i + 2 < path.size() ? hex_digit(path[i + 1]) : std::nullopt;
    auto low = i + 2 < path.size() ? hex_digit(path[i + 2]) : std::nullopt;
    if (!high || !low) return refuse("broken percent-encoding");
    plain += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  if (plain.starts_with('/') || path.find("://") != std::string_view::npos ||
      path.starts_with("file:")) {
    return refuse("absolute paths are not followed");
  }
  std::string_view rest = plain;
  while (!rest.empty()) {
    size_t slash = rest.find('/');
    if (rest.substr(0, slash) == "..") return refuse("leads outside the table");
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  }
  if (plain.find('\0') != std::string::npos) return refuse("holds a NUL");
  return plain;
}

std::string encode_path(std::string_view path) {
  constexpr std::string_view plain = "-_.~!$&'()*+,;=:@/";
  std::string text;
  for (char c : path) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || plain.find(c) != std::string_view::npos) {
      text += c;
    } else {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

}  // namespace pinpipe::lake
