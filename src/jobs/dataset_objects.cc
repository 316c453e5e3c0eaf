#include "jobs/dataset_objects.h"

#include <algorithm>
#include <fmt/format.h>
#include <mutex>
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

// Memory for one object after the other: fresh pages for each would cost as much as reading it.
class Buffers : public std::enable_shared_from_this<Buffers> {
 public:
  std::shared_ptr<std::string> take() {
    std::unique_ptr<std::string> bytes;
    {
      std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        bytes = std::move(free_.back());
        free_.pop_back();
      }
    }
    if (bytes == nullptr) bytes = std::make_unique<std::string>();
    return {bytes.release(), [mine = shared_from_this()](std::string* used) { mine->give(used); }};
  }

 private:
  void give(std::string* used) {
    std::unique_ptr<std::string> bytes(used);
    std::lock_guard lock(mutex_);
    if (free_.size() < kept_max && bytes->capacity() <= kept_bytes_max)
      free_.push_back(std::move(bytes));
  }

  // About as many as threads read at once.
  static constexpr size_t kept_max = 8;
  static constexpr size_t kept_bytes_max = size_t{8} << 20;
  std::mutex mutex_;
  std::vector<std::unique_ptr<std::string>> free_;
};

class ObjectPieces final : public sql::Pieces {
 public:
  explicit ObjectPieces(std::shared_ptr<const DatasetObjects> objects)
      : objects_(std::move(objects)) {}

  Result<std::optional<sql::Piece>> next() override {
    if (at_ == objects_->keys.size()) return std::optional<sql::Piece>();
    size_t i = at_++;
    const DatasetObjects::Held& held = objects_->held[i];
    if (held.bytes)
      return std::optional(sql::Piece{
          .source = objects_->keys[i], .bytes = *held.bytes, .first_line = 1, .keep = objects_});
    std::shared_ptr<std::string> bytes = buffers_->take();
    if (Status read = read_into(*bytes, held.file.path); !read)
      return read.error().with("object " + objects_->keys[i]);
    return std::optional(
        sql::Piece{.source = objects_->keys[i], .bytes = *bytes, .first_line = 1, .keep = bytes});
  }

 private:
  static Status read_into(std::string& bytes, const std::string& path) {
    auto file = io::posix_files().open(path, io::OpenMode::read);
    if (!file) return file.error();
    auto size = (*file)->size();
    if (!size) return size.error();
    // What was there before is not wiped: the read writes over it.
    Result<size_t> got = size_t{0};
    bytes.resize_and_overwrite(*size, [&](char* data, size_t room) {
      got = (*file)->read_at({data, room}, 0);
      return got ? *got : 0;
    });
    return got ? Status{} : Status(got.error());
  }

  std::shared_ptr<const DatasetObjects> objects_;
  std::shared_ptr<Buffers> buffers_ = std::make_shared<Buffers>();
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
  size_t slice;  // objects of one visit to the store
  size_t next = 0;
  uint64_t small_bytes = 0;  // of those that are held as bytes
  std::vector<std::optional<DatasetObjects::Held>> held = {};
  std::optional<Error> error = {};

  // Whether the object is held as bytes; counts it when it is.
  bool takes_bytes_of(const objects::ObjectFacts& object) {
    bool takes = object.size <= DatasetObjects::small_bytes_max &&
                 small_bytes + object.size <= DatasetObjects::held_bytes_max;
    if (takes) small_bytes += object.size;
    return takes;
  }
  // An object that was removed meanwhile is none of them.
  template <class T, class Take>
  void take(std::vector<Result<T>>& found, const std::vector<size_t>& places, Take take_one) {
    for (size_t i = 0; i < found.size(); ++i) {
      if (found[i]) {
        held[places[i]] = take_one(std::move(*found[i]));
      } else if (found[i].error().code() != Code::not_found && !error) {
        error = found[i].error().with("object " + objects[places[i]].key);
      }
    }
  }
};

io::Task<> pin_some(Pinning& all) {
  while (all.next < all.objects.size() && !all.error) {
    std::vector<std::string> small_keys, large_keys;
    std::vector<size_t> small, large;  // their places
    size_t end = std::min(all.next + all.slice, all.objects.size());
    for (; all.next < end; ++all.next) {
      bool is_small = all.takes_bytes_of(all.objects[all.next]);
      (is_small ? small : large).push_back(all.next);
      (is_small ? small_keys : large_keys).push_back(all.objects[all.next].key);
    }
    if (!small.empty()) {
      auto bytes = co_await all.store.get_all(all.bucket, std::move(small_keys));
      all.take(bytes, small, [](std::string taken) {
        return DatasetObjects::Held{.bytes = std::move(taken), .file = {}};
      });
    }
    if (!large.empty()) {
      auto files = co_await all.store.materialize_all(all.bucket, std::move(large_keys));
      all.take(files, large, [](objects::Store::Pinned taken) {
        return DatasetObjects::Held{.bytes = std::nullopt, .file = std::move(taken)};
      });
    }
  }
}

}  // namespace

io::Task<Result<std::shared_ptr<const DatasetObjects>>> pin_objects(
    objects::Store& store, std::string bucket, std::vector<objects::ObjectFacts> objects) {
  // Many objects to a visit, where there are many: a visit costs more than a small object does.
  // Several visits at once: one after the other they would wait more than work.
  constexpr size_t at_once_max = 4;
  constexpr size_t slice_max = 128;
  Pinning all{.store = store,
              .bucket = bucket,
              .objects = objects,
              .slice = std::clamp(objects.size() / at_once_max, size_t{1}, slice_max)};
  all.held.resize(objects.size());
  io::Scope scope(io::Loop::current());
  for (size_t i = 0; i < std::min(at_once_max, objects.size()); ++i)
    scope.spawn("pin objects", pin_some(all));
  co_await scope.join();
  if (all.error) co_return *all.error;
  auto pinned = std::make_shared<DatasetObjects>();
  for (size_t i = 0; i < objects.size(); ++i) {
    if (!all.held[i]) continue;
    pinned->bytes += objects[i].size;
    pinned->keys.push_back(std::move(objects[i].key));
    pinned->held.push_back(std::move(*all.held[i]));
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
