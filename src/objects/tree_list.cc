#include "objects/tree_list.h"

#include <algorithm>

#include "objects/key_path.h"

namespace pinpipe::objects {
namespace {

class Walk {
 public:
  Walk(const BucketTree& tree, DirectoryCache& cache, std::string_view bucket,
       const ListQuery& query)
      : cache_(cache), base_(tree.directory(bucket) + "/"), query_(query) {}

  Result<KeyListing> run(std::vector<std::string> odd) {
    odd_ = std::move(odd);
    if (query_.count_max == 0) return KeyListing{};
    Status done = visit("");
    if (!done) return done.error();
    offer_odd_before(nullptr);
    return std::move(out_);
  }

 private:
  Status visit(const std::string& directory) {
    auto names = cache_.names(base_ + directory);
    // Removed since its parent was read: nothing is there, which is a true answer.
    if (!names) return names.error().code() == Code::not_found ? Status{} : names.error();
    auto at = std::ranges::lower_bound(**names, first_name_of_interest(directory));
    for (; at != (*names)->end() && !full_; ++at) {
      // All that is left here belongs to the common prefix that was just listed.
      if (!last_group_.empty() && directory.starts_with(last_group_)) break;
      std::string key = directory + *at;
      if (directory.empty() && *at == std::string(reserved_name) + "/") continue;
      if (is_beyond_prefix(key)) break;
      offer_odd_before(&key);
      if (full_) break;
      if (key.back() != '/') {
        offer(key);
      } else if (wants(key)) {
        if (Status done = visit(key); !done) return done;
      }
    }
    return {};
  }

  // Everything in `directory` before this name is before the prefix or not behind `after`.
  std::string first_name_of_interest(const std::string& directory) const {
    return std::max(name_in(directory, query_.prefix), name_in(directory, query_.after));
  }

  // The name in `directory` under which `key` lies, or nothing when it lies elsewhere.
  static std::string name_in(const std::string& directory, const std::string& key) {
    if (!key.starts_with(directory)) return {};
    std::string rest = key.substr(directory.size());
    size_t slash = rest.find('/');
    return slash == std::string::npos ? rest : rest.substr(0, slash + 1);
  }

  bool is_beyond_prefix(const std::string& key) const {
    return key > query_.prefix && !key.starts_with(query_.prefix) &&
           !query_.prefix.starts_with(key);
  }

  // Whether the keys below this directory are worth a visit.
  bool wants(const std::string& directory) {
    bool related = directory.starts_with(query_.prefix) || query_.prefix.starts_with(directory);
    if (!related) return false;
    if (query_.after >= directory && !query_.after.starts_with(directory)) return false;
    std::string group = common_prefix_of(directory);
    return group.empty() || (group > query_.after && group != last_group_);
  }

  std::string common_prefix_of(const std::string& key) const {
    if (query_.delimiter.empty() || !key.starts_with(query_.prefix)) return {};
    size_t at = key.find(query_.delimiter, query_.prefix.size());
    return at == std::string::npos ? std::string() : key.substr(0, at + query_.delimiter.size());
  }

  void offer_odd_before(const std::string* key) {
    for (; odd_at_ < odd_.size() && !full_ && (key == nullptr || odd_[odd_at_] < *key); ++odd_at_)
      offer(odd_[odd_at_]);
  }

  void offer(const std::string& key) {
    if (!key.starts_with(query_.prefix) || key <= query_.after || !is_utf8(key)) return;
    std::string group = common_prefix_of(key);
    if (!group.empty() && (group == last_group_ || group <= query_.after)) return;
    if (out_.keys.size() + out_.common_prefixes.size() == query_.count_max) {
      out_.truncated = true;
      full_ = true;
      return;
    }
    if (group.empty()) {
      out_.keys.push_back(key);
      out_.next_after = key;
    } else {
      out_.common_prefixes.push_back(group);
      out_.next_after = group;
      last_group_ = std::move(group);
    }
  }

  DirectoryCache& cache_;
  std::string base_;
  const ListQuery& query_;
  std::vector<std::string> odd_;
  size_t odd_at_ = 0;
  KeyListing out_;
  std::string last_group_;
  bool full_ = false;
};

}  // namespace

Result<KeyListing> list_keys(BucketTree& tree, DirectoryCache& cache, std::string_view bucket,
                             const ListQuery& query) {
  if (auto there = tree.bucket_facts(bucket); !there) return there.error();
  auto odd = tree.odd_keys(bucket);
  if (!odd) return odd.error();
  return Walk(tree, cache, bucket, query).run(std::move(*odd));
}

}  // namespace pinpipe::objects
