#include "jobs/dataset_objects.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <regex>

#include "io/files.h"
#include "io/scope.h"

namespace pinpipe::jobs {
namespace {

bool lists(std::string_view topics, std::string_view topic) {
  while (!topics.empty()) {
    size_t comma = topics.find(',');
    std::string_view one = topics.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one == topic) return true;
    if (comma == std::string_view::npos) return false;
    topics.remove_prefix(comma + 1);
  }
  return false;
}

bool takes(const project::Connector& connector, const std::string& topic) {
  if (auto at = connector.config.find("topics"); at != connector.config.end())
    return lists(at->second, topic);
  auto at = connector.config.find("topics.regex");
  if (at == connector.config.end()) return false;
  try {
    return std::regex_match(topic, std::regex(at->second));
  } catch (const std::regex_error&) {
    return false;  // the sink refuses such a connector by name
  }
}

class ObjectPieces final : public sql::Pieces {
 public:
  explicit ObjectPieces(std::shared_ptr<const DatasetObjects> objects)
      : objects_(std::move(objects)) {}

  Result<std::optional<sql::Piece>> next() override {
    if (at_ == objects_->keys.size()) return std::optional<sql::Piece>();
    size_t i = at_++;
    auto bytes = io::posix_files().read_all(objects_->files[i].path);
    if (!bytes) return bytes.error().with("object " + objects_->keys[i]);
    auto kept = std::make_shared<const std::string>(std::move(*bytes));
    return std::optional(
        sql::Piece{.source = objects_->keys[i], .bytes = *kept, .first_line = 1, .keep = kept});
  }

 private:
  std::shared_ptr<const DatasetObjects> objects_;
  size_t at_ = 0;
};

}  // namespace

const project::Connector* connector_of_topic(const project::Project& project,
                                             const std::string& topic) {
  for (const project::Connector& connector : project.connectors) {
    if (takes(connector, topic) && connector.config.contains("s3.bucket.name")) return &connector;
  }
  return nullptr;
}

Result<ObjectPlace> place_of_topic(const project::Project& project, const std::string& topic) {
  const project::Connector* connector = connector_of_topic(project, topic);
  if (connector == nullptr)
    return Error(Code::not_found, fmt::format("no connector of the project takes topic {}", topic));
  auto directory = connector->config.find("topics.dir");
  std::string top = directory == connector->config.end() ? "topics" : directory->second;
  return ObjectPlace{connector->config.at("s3.bucket.name"), fmt::format("{}/{}/", top, topic)};
}

Result<ObjectPlace> place_of_dataset(const project::Project& project,
                                     const project::Dataset& dataset) {
  const project::ObjectFolder& own = dataset.objects;
  if (!own.bucket.empty()) return ObjectPlace{own.bucket, own.prefix};
  return place_of_topic(project, dataset.topic);
}

io::Task<Result<std::vector<objects::ObjectFacts>>> list_objects(objects::Store& store,
                                                                 ObjectPlace place) {
  std::vector<objects::ObjectFacts> objects;
  std::string after;
  while (true) {
    auto listing = co_await store.list(
        place.bucket, {.prefix = place.prefix, .delimiter = "", .after = after, .count_max = 1000});
    if (!listing) co_return listing.error().with("bucket " + place.bucket);
    for (objects::ObjectFacts& object : listing->objects) {
      if (!object.key.ends_with(".json")) continue;
      if (objects.size() == objects_max) {
        co_return Error(Code::busy,
                        fmt::format("more than {} objects under {}; a load takes no more",
                                    objects_max, place.prefix));
      }
      objects.push_back(std::move(object));
    }
    if (!listing->truncated) break;
    after = listing->next_after;
  }
  co_return objects;
}

namespace {

// What the tasks of one pin_objects() share; they are all on one loop.
struct Pinning {
  objects::Store& store;
  const std::string& bucket;
  const std::vector<objects::ObjectFacts>& objects;
  std::vector<std::optional<objects::Store::Pinned>> files;
  size_t next = 0;
  std::optional<Error> error;
};

io::Task<> pin_some(Pinning& all) {
  while (all.next < all.objects.size() && !all.error) {
    size_t i = all.next++;
    auto file = co_await all.store.materialize(all.bucket, all.objects[i].key);
    if (file) {
      all.files[i] = std::move(*file);
    } else if (file.error().code() != Code::not_found) {
      all.error = file.error().with("object " + all.objects[i].key);
    }
  }
}

}  // namespace

io::Task<Result<std::shared_ptr<const DatasetObjects>>> pin_objects(
    objects::Store& store, std::string bucket, std::vector<objects::ObjectFacts> objects) {
  // Each object is a visit to the disk pool: one after the other they would wait more than work.
  constexpr size_t at_once_max = 32;
  Pinning all{.store = store, .bucket = bucket, .objects = objects, .files = {}, .error = {}};
  all.files.resize(objects.size());
  io::Scope scope(io::Loop::current());
  for (size_t i = 0; i < std::min(at_once_max, objects.size()); ++i)
    scope.spawn("pin objects", pin_some(all));
  co_await scope.join();
  if (all.error) co_return *all.error;
  auto pinned = std::make_shared<DatasetObjects>();
  for (size_t i = 0; i < objects.size(); ++i) {
    if (!all.files[i]) continue;
    pinned->bytes += objects[i].size;
    pinned->keys.push_back(std::move(objects[i].key));
    pinned->files.push_back(std::move(*all.files[i]));
  }
  co_return std::shared_ptr<const DatasetObjects>(std::move(pinned));
}

io::Task<Result<std::shared_ptr<const DatasetObjects>>> pin_objects(objects::Store& store,
                                                                    ObjectPlace place) {
  auto objects = co_await list_objects(store, place);
  if (!objects) co_return objects.error();
  co_return co_await pin_objects(store, place.bucket, std::move(*objects));
}

std::unique_ptr<sql::Pieces> pieces_of_objects(std::shared_ptr<const DatasetObjects> objects) {
  return std::make_unique<ObjectPieces>(std::move(objects));
}

}  // namespace pinpipe::jobs
