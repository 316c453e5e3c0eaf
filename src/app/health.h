// How each part of a house is: what status, the console and /readyz say, from one place.
#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "io/task.h"

namespace pinpipe::app {

class House;

struct PartHealth {
  std::string part;
  std::string state;    // "ok", or a word for what it is not
  codec::Json count;    // records, rows or tries, where there is a number to it
  std::string note;     // what the count is, or what is wrong and what to do
  bool behind = false;  // needs somebody
};

// Topics, connectors, the batch job's tables, the stream job's, in the order of the pipeline.
io::Task<std::vector<PartHealth>> look_at_parts(House& house);

}  // namespace pinpipe::app
