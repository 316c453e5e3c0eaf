// One run of the posting emulator for a command: its options from arguments, progress on a
// terminal, Ctrl-C, and the tally.
#pragma once

#include <functional>
#include <string>

#include "app/answer.h"
#include "io/runtime.h"
#include "source/address.h"
#include "source/emulator.h"

namespace pinpipe::app {

struct EmulationPlan {
  source::Target target = source::Target::batch;
  std::string base_url;
  std::string ca_file = {};  // for https; empty: the system's roots
  std::string user_id;
  source::Address source = {};           // the generator unless told otherwise
  uint64_t rows = source::classic_rows;  // of the generator
  source::Order order = source::Order::once;
  source::DatetimeStyle datetime = source::DatetimeStyle::blank;
  uint64_t rounds = 0;  // 0: all, or until it is stopped
  int64_t seed = 100;
  size_t concurrency = 1;
  double posts_per_second = 0;
  bool sleeps = false;
  std::string run = {};                          // names the run in the posts' marks; empty: drawn
  std::function<bool(uint64_t)> is_stored = {};  // posts to leave out; empty: none
  bool until_signal = false;  // SIGINT and SIGTERM end it; only where nothing else waits for them
};

struct Emulation {
  source::Tally tally;
  int64_t duration_ms = 0;
  std::string run;
};

// Posts from the plan's source. Not on a loop thread. An error when it could not begin or was ended
// early by trouble; a stop by signal is none.
Result<Emulation> emulate(io::Runtime& runtime, const EmulationPlan& plan);

Answer answer_of(const Emulation& emulation, std::string_view path);

}  // namespace pinpipe::app
