// Lists the keys of one bucket's directory in the byte order of whole keys, which is not the order
// of a directory walk ("a-b" comes before "a/b"), merged with the keys of the odd area. Bounds:
// reads the directories on the way to the answer and no others; depth by the key's length.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "objects/bucket_tree.h"
#include "objects/directory_cache.h"
#include "objects/store.h"

namespace pinpipe::objects {

struct KeyListing {
  std::vector<std::string> keys;
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string next_after;
};

// Blocks. `not_found` when there is no such bucket.
Result<KeyListing> list_keys(BucketTree& tree, DirectoryCache& cache, std::string_view bucket,
                             const ListQuery& query);

}  // namespace pinpipe::objects
