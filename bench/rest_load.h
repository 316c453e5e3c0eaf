// A client that posts the same request (or some, in turn) again and again over kept connections,
// one under way on each: what `wrk` does, with percentiles of whole requests and the server's CPU
// time beside them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pinpipe::bench {

struct Load {
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  std::string request = {};  // as it goes over the wire
  // Instead of the one: these, in turn, each connection's next the one that nobody has sent yet.
  std::vector<std::string> requests = {};
  size_t connections = 1;
  double seconds = 1;
  uint64_t requests_max = UINT64_MAX;  // ends when so many are answered, if not before
};

struct Figures {
  uint64_t requests = 0;
  uint64_t refused = 0;  // not answered with 200
  double seconds = 0;
  double p50_us = 0;
  double p99_us = 0;
  double server_cpu_us = 0;  // of the whole run

  double rate() const { return static_cast<double>(requests) / seconds; }
};

// `server_cpu_us` tells what the server has used so far.
Figures run_load(const Load& load, const std::function<double()>& server_cpu_us);

// A produce request of so many records of 600 bytes of JSON, spelled as Python's json.dumps does.
std::string produce_request(const std::string& host, const std::string& path, size_t records);

// What the processes have used, by /proc/PID/stat.
double cpu_us_of(const std::vector<int>& pids);

}  // namespace pinpipe::bench
