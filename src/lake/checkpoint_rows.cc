#include "lake/checkpoint_rows.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>

#include "codec/json.h"
#include "lake/parquet_column.h"

namespace pinpipe::lake {
namespace {

// One leaf column of the row group, always at the present row. One that the file lacks is null in
// every row.
class Cell {
 public:
  explicit Cell(ParquetColumn* column) : column_(column) {}
  bool advance() { return column_ == nullptr || column_->next(); }
  bool has() const { return column_ != nullptr && !column_->is_null(); }
  int64_t number(int64_t otherwise = 0) const { return has() ? column_->number() : otherwise; }
  std::optional<int64_t> optional_number() const {
    if (!has()) return std::nullopt;
    return column_->number();
  }
  std::string text() const { return has() ? std::string(column_->text()) : std::string(); }
  std::optional<std::string> optional_text() const {
    if (!has()) return std::nullopt;
    return std::string(column_->text());
  }

 private:
  ParquetColumn* column_;
};

// A list's elements, or a map's keys with its values, of the present row.
class Cells {
 public:
  Cells(ParquetColumn* first, ParquetColumn* second) : first_(first), second_(second) {}

  bool advance() {
    entries_.clear();
    if (first_ == nullptr) return true;
    do {
      if (!first_->next() || (second_ != nullptr && !second_->next())) return false;
      if (first_->is_null()) continue;
      bool has_value = second_ != nullptr && !second_->is_null();
      std::optional<std::string> value;
      if (has_value) value = std::string(second_->text());
      entries_.emplace_back(std::string(first_->text()), std::move(value));
    } while (first_->row_goes_on());
    return true;
  }
  // An empty text means null as well.
  PartitionValues partition_values() const {
    PartitionValues values = entries_;
    for (auto& [name, value] : values) {
      if (value && value->empty()) value.reset();
    }
    return values;
  }
  std::vector<std::string> list() const {
    std::vector<std::string> texts;
    for (const auto& [text, unused] : entries_) texts.push_back(text);
    return texts;
  }
  std::map<std::string, std::string> map() const {
    std::map<std::string, std::string> texts;
    for (const auto& [key, value] : entries_) {
      if (value) texts[key] = *value;
    }
    return texts;
  }
  std::string json_object() const {
    if (entries_.empty()) return {};
    std::string json;
    codec::JsonWriter out(json);
    out.begin_object();
    for (const auto& [key, value] : entries_) {
      out.key(key);
      if (value) {
        out.value(*value);
      } else {
        out.raw("null");
      }
    }
    out.end_object();
    return json;
  }

 private:
  ParquetColumn* first_;
  ParquetColumn* second_;
  PartitionValues entries_;
};

class RowGroup {
 public:
  RowGroup(io::File& file, const ParquetFooter& footer, const ParquetRowGroup& group)
      : file_(file), footer_(footer), group_(group) {}

  Status open() {
    add_path_ = text_cell({"add", "path"});
    add_size_ = number_cell({"add", "size"});
    add_modified_ = number_cell({"add", "modificationTime"});
    add_stats_ = text_cell({"add", "stats"});
    add_partition_ = cells({"add", "partitionValues"});
    add_tags_ = cells({"add", "tags"});
    add_vector_ = vector_of("add");
    remove_path_ = text_cell({"remove", "path"});
    remove_deleted_ = number_cell({"remove", "deletionTimestamp"});
    remove_changes_ = number_cell({"remove", "dataChange"});
    remove_size_ = number_cell({"remove", "size"});
    remove_partition_ = cells({"remove", "partitionValues"});
    remove_vector_ = vector_of("remove");
    txn_app_ = text_cell({"txn", "appId"});
    txn_version_ = number_cell({"txn", "version"});
    txn_updated_ = number_cell({"txn", "lastUpdated"});
    metadata_id_ = text_cell({"metaData", "id"});
    metadata_name_ = text_cell({"metaData", "name"});
    metadata_description_ = text_cell({"metaData", "description"});
    metadata_schema_ = text_cell({"metaData", "schemaString"});
    metadata_partition_ = cells({"metaData", "partitionColumns"});
    metadata_configuration_ = cells({"metaData", "configuration"});
    metadata_created_ = number_cell({"metaData", "createdTime"});
    reader_version_ = number_cell({"protocol", "minReaderVersion"});
    writer_version_ = number_cell({"protocol", "minWriterVersion"});
    reader_features_ = cells({"protocol", "readerFeatures"});
    writer_features_ = cells({"protocol", "writerFeatures"});
    sidecar_path_ = text_cell({"sidecar", "path"});
    return opened_;
  }

  Status read(const std::function<Status(Actions)>& on_actions) {
    Actions actions;
    for (int64_t row = 0; row < group_.rows; ++row) {
      if (!advance()) return ended_early();
      if (Status taken = take_row(actions); !taken) return taken;
      if ((row + 1) % checkpoint_rows_at_once != 0) continue;
      if (Status applied = on_actions(std::exchange(actions, {})); !applied) return applied;
    }
    return on_actions(std::move(actions));
  }

 private:
  struct Vector {
    Cell storage{nullptr}, where{nullptr}, offset{nullptr}, bytes{nullptr}, rows{nullptr};

    // The JSON text and the id; both empty when there is none.
    std::pair<std::string, std::string> get() const {
      if (!storage.has() || !where.has()) return {};
      std::string json;
      codec::JsonWriter out(json);
      out.begin_object().field("storageType", storage.text());
      out.field("pathOrInlineDv", where.text());
      if (offset.has()) out.field("offset", offset.number());
      out.field("sizeInBytes", bytes.number()).field("cardinality", rows.number()).end_object();
      std::string id = storage.text() + where.text();
      if (offset.has()) id += fmt::format("@{}", offset.number());
      return {std::move(json), std::move(id)};
    }
  };

  // The leaves below these names, in the schema's order; opened.
  std::vector<ParquetColumn*> open_below(const std::vector<std::string_view>& names) {
    std::vector<ParquetColumn*> found;
    for (size_t i = 0; i < footer_.leaves.size() && opened_; ++i) {
      const ParquetLeaf& leaf = footer_.leaves[i];
      if (leaf.path.size() < names.size() ||
          !std::equal(names.begin(), names.end(), leaf.path.begin())) {
        continue;
      }
      auto column = ParquetColumn::open(file_, leaf, group_.chunks[i]);
      if (!column) {
        opened_ = column.error().with(fmt::format("{}", fmt::join(leaf.path, ".")));
        return {};
      }
      columns_.push_back(std::make_unique<ParquetColumn>(std::move(*column)));
      found.push_back(columns_.back().get());
    }
    return found;
  }
  void malformed(const std::vector<std::string_view>& names) {
    opened_ = Error(Code::corrupt, fmt::format("the checkpoint's column {} has another shape than "
                                               "the protocol's",
                                               fmt::join(names, ".")));
  }
  Cell text_cell(std::vector<std::string_view> names) { return cell(names, true); }
  Cell number_cell(std::vector<std::string_view> names) { return cell(names, false); }
  Cell cell(const std::vector<std::string_view>& names, bool is_text) {
    auto found = open_below(names);
    bool good = found.size() <= 1 && (found.empty() || found[0]->is_text() == is_text);
    if (!good) malformed(names);
    return Cell(good && !found.empty() ? found[0] : nullptr);
  }
  Cells cells(const std::vector<std::string_view>& names) {
    auto found = open_below(names);
    bool good = found.size() <= 2 && std::ranges::all_of(found, &ParquetColumn::is_text);
    if (!good) malformed(names);
    if (!good || found.empty()) return {nullptr, nullptr};
    return {found[0], found.size() == 2 ? found[1] : nullptr};
  }
  Vector vector_of(std::string_view action) {
    constexpr std::string_view name = "deletionVector";
    return {.storage = text_cell({action, name, "storageType"}),
            .where = text_cell({action, name, "pathOrInlineDv"}),
            .offset = number_cell({action, name, "offset"}),
            .bytes = number_cell({action, name, "sizeInBytes"}),
            .rows = number_cell({action, name, "cardinality"})};
  }

  bool advance() {
    for (Cell* one :
         {&add_path_, &add_size_, &add_modified_, &add_stats_, &remove_path_, &remove_deleted_,
          &remove_changes_, &remove_size_, &txn_app_, &txn_version_, &txn_updated_, &metadata_id_,
          &metadata_name_, &metadata_description_, &metadata_schema_, &metadata_created_,
          &reader_version_, &writer_version_, &sidecar_path_}) {
      if (!one->advance()) return false;
    }
    for (Vector* one : {&add_vector_, &remove_vector_}) {
      for (Cell* part : {&one->storage, &one->where, &one->offset, &one->bytes, &one->rows}) {
        if (!part->advance()) return false;
      }
    }
    for (Cells* one : {&add_partition_, &add_tags_, &remove_partition_, &metadata_partition_,
                       &metadata_configuration_, &reader_features_, &writer_features_}) {
      if (!one->advance()) return false;
    }
    return true;
  }
  Status ended_early() const {
    for (const auto& column : columns_) {
      if (!column->status()) return column->status();
    }
    return Error(Code::corrupt, "a column of the checkpoint has fewer rows than the others");
  }

  Status take_row(Actions& actions) {
    if (add_path_.has()) take_add(actions);
    if (remove_path_.has()) take_remove(actions);
    if (txn_app_.has()) {
      actions.txns.push_back(Txn{.app_id = txn_app_.text(),
                                 .version = txn_version_.number(),
                                 .updated_ms = txn_updated_.optional_number()});
    }
    if (metadata_schema_.has()) take_metadata(actions);
    if (reader_version_.has()) take_protocol(actions);
    if (sidecar_path_.has()) actions.sidecars.push_back(sidecar_path_.text());
    bool good = actions.adds.empty() ||
                (!actions.adds.back().path.empty() && actions.adds.back().size >= 0);
    if (good) return {};
    return Error(Code::corrupt, "a file of the checkpoint has no path or no size");
  }
  void take_add(Actions& actions) {
    AddFile& add = actions.adds.emplace_back();
    add.path = add_path_.text();
    add.size = add_size_.number(-1);
    add.modified_ms = add_modified_.number();
    add.stats = add_stats_.text();
    add.partition_values = add_partition_.partition_values();
    add.tags = add_tags_.json_object();
    std::tie(add.deletion_vector, add.deletion_vector_id) = add_vector_.get();
  }
  void take_remove(Actions& actions) {
    RemoveFile& remove = actions.removes.emplace_back();
    remove.path = remove_path_.text();
    remove.deleted_ms = remove_deleted_.optional_number();
    remove.data_change = remove_changes_.number(1) != 0;
    remove.size = remove_size_.optional_number();
    remove.partition_values = remove_partition_.partition_values();
    std::tie(remove.deletion_vector, remove.deletion_vector_id) = remove_vector_.get();
  }
  void take_metadata(Actions& actions) {
    actions.metadata = Metadata{.id = metadata_id_.text(),
                                .name = metadata_name_.optional_text(),
                                .description = metadata_description_.optional_text(),
                                .schema_string = metadata_schema_.text(),
                                .partition_columns = metadata_partition_.list(),
                                .configuration = metadata_configuration_.map(),
                                .created_ms = metadata_created_.optional_number()};
  }
  void take_protocol(Actions& actions) {
    Protocol protocol{.min_reader_version = static_cast<int>(reader_version_.number()),
                      .min_writer_version = static_cast<int>(writer_version_.number())};
    if (protocol.min_reader_version >= 3) protocol.reader_features = reader_features_.list();
    if (protocol.min_writer_version >= 7) protocol.writer_features = writer_features_.list();
    actions.protocol = std::move(protocol);
  }

  io::File& file_;
  const ParquetFooter& footer_;
  const ParquetRowGroup& group_;
  std::vector<std::unique_ptr<ParquetColumn>> columns_;
  Status opened_;

  Cell add_path_{nullptr}, add_size_{nullptr}, add_modified_{nullptr}, add_stats_{nullptr};
  Cells add_partition_{nullptr, nullptr}, add_tags_{nullptr, nullptr};
  Vector add_vector_;
  Cell remove_path_{nullptr}, remove_deleted_{nullptr}, remove_changes_{nullptr},
      remove_size_{nullptr};
  Cells remove_partition_{nullptr, nullptr};
  Vector remove_vector_;
  Cell txn_app_{nullptr}, txn_version_{nullptr}, txn_updated_{nullptr};
  Cell metadata_id_{nullptr}, metadata_name_{nullptr}, metadata_description_{nullptr},
      metadata_schema_{nullptr}, metadata_created_{nullptr};
  Cells metadata_partition_{nullptr, nullptr}, metadata_configuration_{nullptr, nullptr};
  Cell reader_version_{nullptr}, writer_version_{nullptr};
  Cells reader_features_{nullptr, nullptr}, writer_features_{nullptr, nullptr};
  Cell sidecar_path_{nullptr};
};

bool has_path(const ParquetFooter& footer) {
  return std::ranges::any_of(footer.leaves, [](const ParquetLeaf& leaf) {
    return leaf.path.size() == 2 && (leaf.path[0] == "add" || leaf.path[0] == "sidecar") &&
           leaf.path[1] == "path";
  });
}

}  // namespace

Status read_checkpoint_rows(io::File& file, const std::function<Status(Actions)>& on_actions) {
  auto footer = read_parquet_footer(file);
  if (!footer) return footer.error();
  if (!has_path(*footer)) {
    return Error(Code::corrupt, "the file has none of a checkpoint's columns");
  }
  for (const ParquetRowGroup& group : footer->groups) {
    RowGroup rows(file, *footer, group);
    if (Status opened = rows.open(); !opened) return opened;
    if (Status read = rows.read(on_actions); !read) return read;
  }
  return {};
}

}  // namespace pinpipe::lake
