#include "lake/catalog.h"

#include <algorithm>

namespace pinpipe::lake {
namespace {

io::Task<Result<bool>> has_log(const Services& services, const Location& location) {
  objects::ListQuery query;
  query.prefix = location.log_directory();
  query.count_max = 1;
  auto listing = co_await services.store.list(location.bucket, std::move(query));
  if (!listing) co_return listing.error();
  co_return !listing->objects.empty();
}

}  // namespace

TableDetails describe(const Location& location, const Snapshot& snapshot) {
  const Metadata& metadata = snapshot.metadata();
  TableDetails details{.location = location,
                       .id = metadata.id,
                       .name = metadata.name.value_or(""),
                       .description = metadata.description.value_or(""),
                       .version = snapshot.version(),
                       .created_ms = metadata.created_ms.value_or(0),
                       .modified_ms = metadata.created_ms.value_or(0),
                       .files = static_cast<int64_t>(snapshot.files().size()),
                       .bytes = snapshot.bytes(),
                       .rows = snapshot.rows(),
                       .schema = snapshot.schema(),
                       .partition_columns = metadata.partition_columns,
                       .properties = metadata.configuration,
                       .txns = {},
                       .min_reader_version = snapshot.protocol().min_reader_version,
                       .min_writer_version = snapshot.protocol().min_writer_version};
  for (const FilePtr& file : snapshot.files()) {
    details.modified_ms = std::max(details.modified_ms, file->modified_ms);
  }
  for (const auto& [app_id, txn] : snapshot.txns()) details.txns[app_id] = txn.version;
  return details;
}

io::Task<Result<std::vector<Location>>> list_tables(const Services& services, std::string bucket,
                                                    std::string prefix) {
  std::vector<Location> tables;
  objects::ListQuery query;
  query.prefix = prefix.empty() ? "" : prefix + "/";
  query.delimiter = "/";
  while (true) {
    auto page = co_await services.store.list(bucket, query);
    if (!page) co_return page.error();
    for (const std::string& folder : page->common_prefixes) {
      Location location{.bucket = bucket, .prefix = folder.substr(0, folder.size() - 1)};
      auto is_table = co_await has_log(services, location);
      if (!is_table) co_return is_table.error();
      if (*is_table) tables.push_back(std::move(location));
    }
    if (!page->truncated) break;
    query.after = page->next_after;
  }
  co_return tables;
}

}  // namespace pinpipe::lake
