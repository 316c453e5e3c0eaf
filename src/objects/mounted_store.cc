#include "objects/mounted_store.h"

#include <algorithm>

namespace pinpipe::objects {
namespace {

constexpr size_t copy_step_bytes = size_t{4} << 20;

void rename(Result<ObjectFacts>& facts, std::string_view prefix) {
  if (facts) facts->key.insert(0, prefix);
}

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

MountedStore::Place MountedStore::place(std::string bucket, std::string key) const {
  bool mounted = bucket == mount_.bucket && is_within(key);
  if (!mounted) return {.store = &outer_, .bucket = std::move(bucket), .key = std::move(key)};
  return {.store = mount_.inner,
          .bucket = mount_.inner_bucket,
          .key = key.substr(mount_.prefix.size()),
          .mounted = true};
}

io::Task<Status> MountedStore::create_bucket(std::string name) {
  co_return co_await outer_.create_bucket(std::move(name));
}

io::Task<Status> MountedStore::remove_bucket(std::string name) {
  if (name == mount_.bucket) {
    auto left = co_await mount_.inner->list(
        mount_.inner_bucket, {.prefix = {}, .delimiter = {}, .after = {}, .count_max = 1});
    if (!left) co_return left.error();
    if (!left->objects.empty())
      co_return Error(Code::conflict, "bucket '" + name + "' is not empty: it holds tables");
  }
  co_return co_await outer_.remove_bucket(std::move(name));
}

io::Task<Result<std::vector<BucketFacts>>> MountedStore::list_buckets() {
  co_return co_await outer_.list_buckets();
}

io::Task<Result<BucketFacts>> MountedStore::find_bucket(std::string name) {
  co_return co_await outer_.find_bucket(std::move(name));
}

io::Task<Result<ObjectFacts>> MountedStore::put(std::string bucket, std::string key,
                                                std::string bytes, Attributes attributes,
                                                Condition condition) {
  Place at = place(std::move(bucket), std::move(key));
  auto facts = co_await at.store->put(at.bucket, at.key, std::move(bytes), std::move(attributes),
                                      std::move(condition));
  if (at.mounted) rename(facts, mount_.prefix);
  co_return facts;
}

io::Task<Result<ObjectFacts>> MountedStore::adopt(std::string bucket, std::string temporary_path,
                                                  std::string key, Attributes attributes,
                                                  Condition condition, std::string etag) {
  Place at = place(std::move(bucket), std::move(key));
  auto facts =
      co_await at.store->adopt(at.bucket, std::move(temporary_path), at.key, std::move(attributes),
                               std::move(condition), std::move(etag));
  if (at.mounted) rename(facts, mount_.prefix);
  co_return facts;
}

io::Task<Result<ObjectFacts>> MountedStore::head(std::string bucket, std::string key) {
  Place at = place(std::move(bucket), std::move(key));
  auto facts = co_await at.store->head(at.bucket, at.key);
  if (at.mounted) rename(facts, mount_.prefix);
  co_return facts;
}

io::Task<Result<std::unique_ptr<OpenObject>>> MountedStore::open(std::string bucket,
                                                                 std::string key) {
  Place at = place(std::move(bucket), std::move(key));
  co_return co_await at.store->open(at.bucket, at.key);
}

io::Task<Result<std::string>> MountedStore::get(std::string bucket, std::string key,
                                                std::optional<ByteRange> range) {
  Place at = place(std::move(bucket), std::move(key));
  co_return co_await at.store->get(at.bucket, at.key, range);
}

io::Task<Status> MountedStore::remove(std::string bucket, std::string key, Condition condition) {
  Place at = place(std::move(bucket), std::move(key));
  co_return co_await at.store->remove(at.bucket, at.key, std::move(condition));
}

io::Task<Result<ObjectFacts>> MountedStore::copy(std::string from_bucket, std::string from_key,
                                                 std::string to_bucket, std::string to_key,
                                                 std::optional<Attributes> attributes,
                                                 Condition condition) {
  Place from = place(std::move(from_bucket), std::move(from_key));
  Place to = place(std::move(to_bucket), std::move(to_key));
  Result<ObjectFacts> facts = Error(Code::internal, "not copied");
  if (from.store == to.store) {
    facts = co_await to.store->copy(from.bucket, from.key, to.bucket, to.key, std::move(attributes),
                                    std::move(condition));
  } else {
    auto source = co_await from.store->open(from.bucket, from.key);
    if (!source) co_return source.error();
    if ((*source)->facts().size > copy_between_bytes_max) {
      co_return Error(Code::invalid, "an object of this size is not copied into or out of " +
                                         mount_.bucket + "/" + mount_.prefix +
                                         " at once; read it and put it there");
    }
    std::string bytes((*source)->facts().size, '\0');
    size_t done = 0;
    while (done < bytes.size()) {
      auto step = std::span(bytes).subspan(done, std::min(copy_step_bytes, bytes.size() - done));
      auto got = co_await (*source)->read_at(step, done);
      if (!got) co_return got.error();
      if (*got == 0) co_return Error(Code::corrupt, "the object ended early");
      done += *got;
    }
    Attributes wanted = attributes ? std::move(*attributes) : (*source)->facts().attributes;
    facts = co_await to.store->put(to.bucket, to.key, std::move(bytes), std::move(wanted),
                                   std::move(condition));
  }
  if (to.mounted) rename(facts, mount_.prefix);
  co_return facts;
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
  if (bucket != mount_.bucket) co_return co_await outer_.list(std::move(bucket), std::move(query));
  if (is_within(query.prefix)) {
    auto there = co_await outer_.find_bucket(bucket);
    if (!there) co_return there.error();
    co_return co_await list_mounted(std::move(query));
  }
  auto own = co_await outer_.list(std::move(bucket), query);
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

io::Task<Result<Store::Pinned>> MountedStore::materialize(std::string bucket, std::string key) {
  Place at = place(std::move(bucket), std::move(key));
  co_return co_await at.store->materialize(at.bucket, at.key);
}

}  // namespace pinpipe::objects
