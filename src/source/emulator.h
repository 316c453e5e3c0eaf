// The posting emulator: reads rows and posts them as the public scripts do, one record a request,
// pin then geo then user of one index, to topics or streams under any base URL. Promise: the tally
// is exact: sent = acknowledged + failed + unknown once run() has ended. A post that is tried again
// keeps its header `pinpipe-post: <run>/<n>`, so that a duplicate in the log can be told from a
// bug. Bounds: concurrency rounds under way, rounds_ahead_max rendered ahead; memory does not grow.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "http/client.h"
#include "io/pool.h"
#include "io/scope.h"
#include "io/wake.h"
#include "source/rounds.h"

namespace pinpipe::source {

// Posts, but for `rounds`.
struct Tally {
  uint64_t rounds = 0;        // whole ones
  uint64_t sent = 0;          // handed to the network at least once
  uint64_t acknowledged = 0;  // answered with success
  uint64_t failed = 0;        // certainly not stored
  uint64_t unknown = 0;       // no answer, or one that leaves it open
  uint64_t retried = 0;       // further attempts
  std::string last_trouble;   // what the last unsuccessful attempt met
};

class Emulator {
 public:
  static constexpr size_t rounds_ahead_max = 256;
  static constexpr size_t concurrency_max = 4'096;

  struct Options {
    std::string base_url;  // "http://127.0.0.1:8082/test"
    std::string ca_file;   // PEM, for https; empty: the system's roots
    Rounds::Options rounds;
    std::string run;  // names this run in the posts' headers; empty: drawn
    // Posts that somebody knows to be stored already, by number: they are left out.
    std::function<bool(uint64_t)> is_stored = [](uint64_t) { return false; };
    size_t concurrency = 1;  // rounds posted at the same time; within a round there is an order
    double posts_per_second = 0;  // 0: as fast as answers come
    bool sleeps = false;          // before every round, as the classic script
    Millis post_timeout{30'000};
    int attempts_max = 8;
    Millis retry_delay{100};  // doubles up to the next, each time drawn from the upper half
    Millis retry_delay_max{5'000};
  };

  // Belongs to the loop that run() is awaited on. `source` is read on `pool`; both outlive it.
  Emulator(Options options, Source& source, io::Pool& pool);
  ~Emulator();

  // Posts until the rounds end, stop() is called or the awaiting task is cancelled. An error tells
  // what ended it early; the tally counts what was done until then. Once.
  io::Task<Status> run();
  // Begins no further round; those under way are finished, but not tried again. On the loop only.
  void stop();
  // On the loop only.
  const Tally& tally() const { return tally_; }
  const std::string& run_name() const { return options_.run; }

 private:
  struct Poster;
  enum class Verdict { done, refused, not_done, maybe_done };

  io::Task<> feed();
  io::Task<> work();
  io::Task<std::optional<Round>> next_round();
  io::Task<bool> post_round(Round& round, Poster& poster);
  io::Task<> post(http::Request& request, uint64_t number);
  io::Task<Verdict> attempt(const http::Request& request, Millis& wait);
  // Waits; false when the run was stopped or cancelled meanwhile.
  io::Task<bool> pause_until(io::Instant when);
  io::Task<bool> await_turn();
  void end_with(Error error);

  Options options_;
  Rounds rounds_;
  io::Pool& pool_;
  http::Client client_;
  http::Url url_;
  Random random_;
  Tally tally_;
  Status outcome_;

  std::deque<Round> ready_;
  std::vector<Round> spare_;  // used ones, for their buffers
  bool fed_ = false;          // no further round will come
  bool stopping_ = false;
  size_t workers_ = 0;
  io::Instant next_turn_{};
  io::Signal changed_;  // ready_, fed_, stopping_, workers_
  io::Signal stopped_;  // stopping_
};

}  // namespace pinpipe::source
