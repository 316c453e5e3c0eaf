// What people ask: the project's questions, and any SELECT over everything at once.
//   clean.pin  df_pin             the batch job's tables, as its last run left them
//   live.pin                      the stream table and what its stream holds beyond it
//   raw.pin  raw.pin_records      the bucket's objects, decoded when asked for
//   0e90e0175553_pin_table        any table of the lake, by name
//   … VERSION AS OF 3             a table's older version; also TIMESTAMP AS OF '…', AT (VERSION =>
//   3) topic('x')  stream('x')       records of the log objects('s3://bucket/a*')     objects of a
//   bucket: JSON lines, CSV or Parquet, by their ending
// What a query names is made ready for it alone, and held until it has ended.
//
// Promise: reads only. Memory is bounded by the engine's, whatever is read; a query that needs more
// fails alone. The engine opens on first use and closes when nobody asked for engine_idle.
// Bounds: objects_named_max objects behind one objects('…'); query_time_max and answer_bytes_max a
// query.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "broker/streams.h"
#include "broker/topics.h"
#include "io/pool.h"
#include "jobs/answers.h"
#include "jobs/batch.h"
#include "jobs/stream_live.h"
#include "lake/services.h"

namespace pinpipe::jobs {

class LakeNames;

class Questions {
 public:
  static constexpr size_t objects_named_max = 100'000;
  static constexpr Millis engine_idle{10'000};
  static constexpr Millis query_time_max{300'000};
  static constexpr uint64_t answer_bytes_max = uint64_t{256} << 20;

  // What is pointed to outlives this.
  struct Options {
    const project::Project* project = nullptr;
    Batch* batch = nullptr;
    objects::Store* store = nullptr;
    broker::Topics* topics = nullptr;
    std::function<Result<broker::StreamPointer>(const std::string&)> find_stream;
    // Behind live.<data set>; without it there are none. catch_up_live: until what the streams hold
    // now is in the tables, or for a few seconds.
    std::function<io::Task<Result<LiveStream>>(std::string dataset)> find_live = {};
    std::function<io::Task<>()> catch_up_live = {};
    const lake::Services* lake = nullptr;
    std::string lake_bucket;
    io::Loop* loop = nullptr;  // where topics are asked by queries under way
    io::Pool* work = nullptr;
    Clock* clock = nullptr;
    sql::Engine::Options engine;  // of role user, with what may be read
  };

  explicit Questions(Options options);
  ~Questions();

  // The named question, or all with an empty name, over the tables that the run left; the last
  // published run when `run` is empty.
  io::Task<Result<std::vector<QuestionAnswer>>> ask(std::string question, std::string run = {});
  // The same over other tables: those of the stream job.
  io::Task<Result<std::vector<QuestionAnswer>>> ask_over(std::string question,
                                                         std::vector<PinnedTable> tables);
  // Anybody's SELECT. Ends with its caller: `cancelled`.
  io::Task<Result<sql::Table>> query(std::string text, size_t rows_max);

  // What a query can name, for completion and for "did you mean".
  io::Task<Result<std::vector<std::string>>> names();

  // Closes the engine when it is idle, and changes it when it had its time. Until cancelled.
  io::Task<> run();

 private:
  Result<std::shared_ptr<sql::Engine>> engine();
  void renew();
  io::Task<Result<sql::Table>> query_once(const std::string& text, size_t rows_max, bool& was_live);

  const Options options_;
  const std::unique_ptr<LakeNames> lake_names_;
  std::mutex mutex_;  // of what follows; held while the engine opens, on threads of the work pool
  std::shared_ptr<sql::Engine> engine_;
  int64_t asked_ms_ = 0;
  int64_t opened_ms_ = 0;
};

}  // namespace pinpipe::jobs
