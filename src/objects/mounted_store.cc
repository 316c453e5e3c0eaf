#include "objects/mounted_store.h"

#include <algorithm>

namespace pinpipe::objects {
namespace {

// One page of two listings that have nothing in common. What lies behind the end of a page that was
// cut may have company in between that is not known yet, so it waits for the next page.
Listing merged(Listing a, Listing b, size_t count_max) {
  std::optional<std::string> end;
  for (const Listing* page : {&a, &b}) {
    if (page->truncated && (!end || page->next_after < *end)) end = page->next_after;
  }
  struct Entry {
    std::string name;
    ObjectFacts* object;  // null: a common prefix
  };
  std::vector<Entry> entries;
  for (Listing* page : {&a, &b}) {
    for (ObjectFacts& object : page->objects) entries.push_back({object.key, &object});
    for (std::string& group : page->common_prefixes) entries.push_back({group, nullptr});
  }
  if (end) std::erase_if(entries, [&end](const Entry& entry) { return entry.name > *end; });
  std::ranges::sort(entries, {}, &Entry::name);
  Listing all;
  all.truncated = end.has_value() || entries.size() > count_max;
  if (entries.size() > count_max) entries.resize(count_max);
  for (Entry& entry : entries) {
    if (entry.object != nullptr) {
      all.objects.push_back(std::move(*entry.object));
    } else {
      all.common_prefixes.push_back(entry.name);
    }
  }
  if (all.truncated) all.next_after = entries.empty() ? *end : std::move(entries.back().name);
  return all;
}

}  // namespace

// The folder's own name is a key as good as any, and the outer store's.
bool MountedStore::is_within(std::string_view key) const {
  return key.starts_with(mount_.prefix) && key.size() > mount_.prefix.size();
}

io::Task<Result<PassingStore::Place>> MountedStore::place(const std::string& bucket,
                                                          const std::string& key, Use) {
  bool mounted = bucket == mount_.bucket && is_within(key);
  if (!mounted) co_return Place{.store = &behind(), .bucket = bucket, .key = key};
  co_return Place{.store = mount_.inner,
                  .bucket = mount_.inner_bucket,
                  .key = key.substr(mount_.prefix.size())};
}

io::Task<Status> MountedStore::remove_bucket(std::string name) {
  if (name == mount_.bucket) {
    auto left = co_await mount_.inner->list(
        mount_.inner_bucket, {.prefix = {}, .delimiter = {}, .after = {}, .count_max = 1});
    if (!left) co_return left.error();
    if (!left->objects.empty())
      co_return Error(Code::conflict, "bucket '" + name + "' is not empty: it holds tables");
  }
  co_return co_await behind().remove_bucket(std::move(name));
}

io::Task<Result<Listing>> MountedStore::list_mounted(ListQuery query) {
  const std::string& prefix = mount_.prefix;
  Listing none;
  if (!prefix.starts_with(query.prefix) && !query.prefix.starts_with(prefix)) co_return none;
  ListQuery inner{
      .prefix = {}, .delimiter = query.delimiter, .after = {}, .count_max = query.count_max};
  if (query.prefix.size() > prefix.size()) inner.prefix = query.prefix.substr(prefix.size());
  size_t rest = std::min(query.prefix.size(), prefix.size());
  size_t cut = query.delimiter.empty() ? std::string::npos : prefix.find(query.delimiter, rest);
  if (cut != std::string::npos) {
    // The whole mount is one common prefix, there if anything is.
    std::string group = prefix.substr(0, cut + query.delimiter.size());
    if (group <= query.after || query.count_max == 0) co_return none;
    inner.delimiter.clear();
    inner.count_max = 1;
    auto any = co_await mount_.inner->list(mount_.inner_bucket, std::move(inner));
    if (!any) co_return any.error();
    if (!any->objects.empty()) none.common_prefixes.push_back(std::move(group));
    co_return none;
  }
  if (query.after.starts_with(prefix)) {
    inner.after = query.after.substr(prefix.size());
  } else if (query.after > prefix) {
    co_return none;
  }
  auto listing = co_await mount_.inner->list(mount_.inner_bucket, std::move(inner));
  if (!listing) co_return listing.error();
  for (ObjectFacts& object : listing->objects) object.key.insert(0, prefix);
  for (std::string& group : listing->common_prefixes) group.insert(0, prefix);
  if (listing->truncated) listing->next_after.insert(0, prefix);
  co_return listing;
}

io::Task<Result<Listing>> MountedStore::list(std::string bucket, ListQuery query) {
  if (bucket != mount_.bucket)
    co_return co_await behind().list(std::move(bucket), std::move(query));
  if (is_within(query.prefix)) {
    auto there = co_await behind().find_bucket(bucket);
    if (!there) co_return there.error();
    co_return co_await list_mounted(std::move(query));
  }
  auto own = co_await behind().list(std::move(bucket), query);
  if (!own) co_return own.error();
  std::erase_if(own->objects, [this](const ObjectFacts& object) { return is_within(object.key); });
  size_t count_max = query.count_max;
  bool grouped = !query.delimiter.empty();
  auto inner = co_await list_mounted(std::move(query));
  if (!inner) co_return inner.error();
  // A group above the mount may hold keys of both stores: it is listed once.
  bool shown = !inner->common_prefixes.empty();
  std::erase_if(own->common_prefixes, [&](const std::string& group) {
    if (is_within(group)) return true;
    return grouped && shown && group == inner->common_prefixes.front();
  });
  co_return merged(std::move(*own), std::move(*inner), count_max);
}

}  // namespace pinpipe::objects
