// A micro-batch's way through the SQL engine: the data set's own SQL over raw.<dataset>, which is
// the batch. Everything here blocks and belongs on the work pool.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "jobs/stream_records.h"
#include "lake/encode.h"
#include "project/project.h"
#include "sql/engine.h"

namespace pinpipe::jobs {

// The engine that all data sets' sessions share: open as long as one of them is. Each is used for
// sql::Engine::life only.
class WarmEngine {
 public:
  WarmEngine(sql::Engine::Options options, const Clock& clock)
      : options_(std::move(options)), clock_(clock) {}
  Result<std::shared_ptr<sql::Engine>> get();
  // A session, which keeps the engine open.
  Result<std::unique_ptr<sql::Connection>> connect();

 private:
  const sql::Engine::Options options_;
  const Clock& clock_;
  // Held while the engine opens, so that two sessions that start together get one engine; only
  // threads of the work pool wait here.
  std::mutex mutex_;
  std::weak_ptr<sql::Engine> engine_;
  int64_t opened_ms_ = 0;
};

struct CleanedBatch {
  lake::Encoded rows;        // of the stream table
  lake::Encoded quarantine;  // of the quarantine table; no files when all was well
  uint64_t records = 0;      // that are this data set's
  uint64_t values = 0;       // that those records held: an array of rows holds as many
  uint64_t raw_rows = 0;     // values that could be read
  int64_t filtered = 0;      // raw rows that the clean SQL left out
  uint64_t quarantined = 0;
  int64_t oldest_ms = 0;
};

// One data set's session. One thread at a time.
class StreamCleaner {
 public:
  StreamCleaner(const project::Dataset& dataset, std::string stream, RecordFilter filter,
                Clock& clock)
      : dataset_(dataset), stream_(std::move(stream)), filter_(std::move(filter)), clock_(clock) {}

  // Where the files are written until they are committed: two names that are free.
  struct Places {
    std::string rows;
    std::string quarantine;
  };

  bool is_open() const { return session_.connection != nullptr; }
  // Whether it is to be opened anew, so that nothing holds on to an engine that had its time.
  bool is_worn() const { return sql::Engine::is_worn(opened_ms_, clock_.steady_ms()); }
  // Also anew; the session that it has goes on where no other is to be had.
  Status open(WarmEngine& engine);
  bool close();  // whether it was open

  // What the clean SQL's rows look like. Open before.
  Result<lake::Schema> schema();
  // A record that the SQL cannot take (an overflow, a division by zero, …) is found by halving the
  // batch, and goes to quarantine with the SQL's words; more than poison_max of them in one batch
  // are the SQL's fault and an error. On error no file is left. Open before.
  static constexpr size_t poison_max = 100;
  Result<CleanedBatch> clean(const StreamBatch& batch, const lake::Schema& table,
                             const Places& places, std::stop_token stop);

  static const lake::Schema& quarantine_schema();

 private:
  using Poison = std::map<size_t, std::string>;  // records by number in the batch, and why
  Result<CleanedBatch> clean_now(const StreamBatch& batch, const lake::Schema& table,
                                 const Places& places, std::stop_token stop,
                                 const RecordChoice& choice);
  Status find_poison(const StreamBatch& batch, const lake::Schema& table, const Places& places,
                     const std::stop_token& stop, Poison& poison);
  Status make_views();
  Status set_input(sql::TableName view, std::shared_ptr<const columns::Schema> schema,
                   std::vector<sql::Piece> pieces, columns::JsonDecoder::OnRefused on_refused,
                   std::stop_token stop);
  Status take_quarantined(const StreamBatch& batch, std::vector<RefusedRecord>& into,
                          const std::stop_token& stop);
  Result<lake::Encoded> encode_quarantine(const std::vector<RefusedRecord>& refused,
                                          const std::string& place, std::stop_token stop);
  Error with_place(const Error& error, const project::SqlFile& file) const;

  const project::Dataset& dataset_;
  const std::string stream_;
  const RecordFilter filter_;
  Clock& clock_;
  struct Session {
    std::shared_ptr<sql::Engine> engine;
    std::unique_ptr<sql::Connection> connection;
    std::shared_ptr<sql::JsonScan> scan;             // of the last set_input
    std::shared_ptr<std::vector<sql::Piece>> input;  // of the last set_input
  };
  Session session_;
  int64_t opened_ms_ = 0;
};

}  // namespace pinpipe::jobs
