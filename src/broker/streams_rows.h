// Streams as rows of their state file. Everything here blocks.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/streams.h"
#include "state/database.h"

namespace pinpipe::broker::stream_rows {

std::span<const std::string_view> migrations();

struct Row {
  Stream stream;
  bool creating = false;  // its topic may not be there, and its id is unknown
};

Result<std::vector<Row>> read_all(state::Database& database);
// `conflict` when the name is taken.
Status insert(state::Database& database, const Stream& stream);
Status activate(state::Database& database, std::string_view name, const Uuid& id);
Status remove(state::Database& database, std::string_view name);
Status add_tags(state::Database& database, std::string_view name,
                const std::map<std::string, std::string>& tags);
Status remove_tags(state::Database& database, std::string_view name,
                   const std::vector<std::string>& keys);
// Of one of the stream's consumers.
Status insert_consumer(state::Database& database, std::string_view stream,
                       const StreamConsumer& consumer);
Status remove_consumer(state::Database& database, std::string_view stream, std::string_view name);
Status tag_consumer(state::Database& database, std::string_view stream, std::string_view name,
                    const std::map<std::string, std::string>& tags);
Status untag_consumer(state::Database& database, std::string_view stream, std::string_view name,
                      const std::vector<std::string>& keys);
Status set_mode(state::Database& database, std::string_view name, bool on_demand);
Status set_record_kib(state::Database& database, std::string_view name, int32_t record_kib);
// Writes those shards, new ones and closed ones, in one transaction.
Status put_shards(state::Database& database, std::string_view name, std::span<const Shard> shards);
// Made on first use, then the same for ever.
Result<std::string> ticket_key(state::Database& database);

}  // namespace pinpipe::broker::stream_rows
