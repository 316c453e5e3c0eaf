#include "jobs/stream_live.h"

#include <deque>
#include <fmt/format.h>

#include "base/ascii.h"
#include "io/scope.h"
#include "lake/schema.h"
#include "sql/connection.h"
#include "sql/references.h"

namespace pinpipe::jobs {
namespace {

class LivePieces final : public sql::Pieces {
 public:
  explicit LivePieces(LiveStream live) : live_(std::move(live)) {}

  Result<std::optional<sql::Piece>> next() override {
    while (pieces_.empty()) {
      if (at_ == live_.shards.size()) return std::optional<sql::Piece>();
      if (Status read = read_more(); !read) return read.error();
    }
    sql::Piece piece = std::move(pieces_.front());
    pieces_.pop_front();
    return std::optional(std::move(piece));
  }

 private:
  Status read_more() {
    LiveStream::Shard& shard = live_.shards[at_];
    if (shard.from >= shard.end) {
      ++at_;
      return {};
    }
    auto fetched = io::wait_on(*live_.loop,
                               live_.topics->fetch(live_.stream, shard.id, shard.from,
                                                   LiveStream::fetch_bytes, io::after(Millis{0})));
    if (!fetched) return fetched.error().with("live." + live_.dataset->name);
    // Nothing more although the end is not reached: it was cut off meanwhile.
    broker::Offset next = fetched->next > shard.from ? fetched->next : shard.end;
    std::erase_if(fetched->records, [&](const auto& record) { return record.offset >= shard.end; });
    shard.from = next;
    StreamBatch batch;
    batch.add(shard.id, std::move(*fetched));
    for (sql::Piece& piece : lines_of(batch, live_.stream, live_.filter).pieces)
      pieces_.push_back(std::move(piece));
    return {};
  }

  LiveStream live_;
  size_t at_ = 0;
  std::deque<sql::Piece> pieces_;
};

// The clean SQL with live_raw.x where it says raw.x.
Result<std::string> over_live_records(const project::Dataset& dataset) {
  auto references = sql::references_of(dataset.clean.text, {});
  if (!references) return references.error().with(dataset.clean.path);
  std::string text;
  size_t done = 0;
  for (const sql::Reference& reference : *references) {
    if (reference.parts.size() < 2 || lowered(reference.parts[0]) != "raw") continue;
    text += dataset.clean.text.substr(done, reference.offset - done);
    text += sql::quoted_name(live_raw_schema);
    for (size_t i = 1; i < reference.parts.size(); ++i)
      text += "." + sql::quoted_name(i == 1 ? lowered(reference.parts[i]) : reference.parts[i]);
    done = reference.offset + reference.length;
  }
  return text + dataset.clean.text.substr(done);
}

}  // namespace

sql::JsonInput LiveStream::records() const {
  return {.schema = std::make_shared<const columns::Schema>(dataset->schema),
          .open = [live = *this] { return std::make_unique<LivePieces>(live); },
          .stop = {}};
}

Result<std::string> LiveStream::select(const std::string& table_select) const {
  std::string list;
  for (const lake::Field& field : table->schema().fields) {
    std::string name = sql::quoted_name(field.name);
    list += fmt::format("{}CAST({} AS {}) AS {}", list.empty() ? "" : ", ", name,
                        lake::to_sql(field.type), name);
  }
  if (shards.empty()) return table_select;
  auto clean = over_live_records(*dataset);
  if (!clean) return clean.error();
  std::string_view bare = *clean;
  bare = bare.substr(0, bare.find_last_not_of(" \t\r\n;") + 1);
  return fmt::format("SELECT {} FROM (({}) UNION ALL BY NAME (\n{}\n)) AS live", list, table_select,
                     bare);
}

}  // namespace pinpipe::jobs
