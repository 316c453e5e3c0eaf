// The objects that hold a data set's records: found through the connector that writes its topic,
// and read on the engine's threads as pieces of JSON lines. Bounds: objects_max per data set and
// load.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/task.h"
#include "objects/store.h"
#include "project/project.h"
#include "sql/json_scan.h"

namespace pinpipe::jobs {

inline constexpr size_t objects_max = 5'000'000;

// Where a topic's objects lie.
struct ObjectPlace {
  std::string bucket;
  std::string prefix;  // "topics/<topic>/"
};

// The first connector of the project whose topics or topics.regex takes the topic, and that has a
// bucket; nullptr when none does.
const project::Connector* connector_of_topic(const project::Project& project,
                                             const std::string& topic);

// Through the first connector whose topics or topics.regex takes the topic; not_found says so.
Result<ObjectPlace> place_of_topic(const project::Project& project, const std::string& topic);

// The folder that the data set names, or else its topic's.
Result<ObjectPlace> place_of_dataset(const project::Project& project,
                                     const project::Dataset& dataset);

struct DatasetObjects {
  // An object of up to this size is held as its bytes: two names on the disk and a file to open
  // cost more. Beyond so many of them in all, files are held all the same.
  static constexpr uint64_t small_bytes_max = 16 * 1024;
  static constexpr uint64_t held_bytes_max = uint64_t{32} << 20;

  struct Held {
    std::optional<std::string> bytes;
    objects::Store::Pinned file;  // when there are no bytes
  };

  std::vector<std::string> keys;
  std::vector<Held> held;  // one for each key
  uint64_t bytes = 0;
};

// All objects of the place as they are now, in key order.
io::Task<Result<std::vector<objects::ObjectFacts>>> list_objects(objects::Store& store,
                                                                 ObjectPlace place);
// These objects, held until the value goes. Those that were removed meanwhile are no part of it.
io::Task<Result<std::shared_ptr<const DatasetObjects>>> pin_objects(
    objects::Store& store, std::string bucket, std::vector<objects::ObjectFacts> objects);
// Both.
io::Task<Result<std::shared_ptr<const DatasetObjects>>> pin_objects(objects::Store& store,
                                                                    ObjectPlace place);

// Reads the objects one after the other, from the beginning at each call.
std::unique_ptr<sql::Pieces> pieces_of_objects(std::shared_ptr<const DatasetObjects> objects);

}  // namespace pinpipe::jobs
