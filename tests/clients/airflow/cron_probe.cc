// Answers lines "<seconds since 1970> <zone> <expression>" with the next fire time in seconds, or
// "never", or "invalid". Fed by croniter_agrees.py.
#include <charconv>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>

#include "scheduler/cron.h"

int main() {
  std::map<std::string, pinpipe::scheduler::TimeZone> zones;
  std::string line;
  while (std::getline(std::cin, line)) {
    size_t first = line.find(' '), second = line.find(' ', first + 1);
    int64_t instant = 0;
    std::from_chars(line.data(), line.data() + first, instant);
    std::string name = line.substr(first + 1, second - first - 1);
    if (!zones.contains(name)) {
      auto zone = pinpipe::scheduler::TimeZone::find(pinpipe::io::posix_files(), name);
      if (!zone) return 1;
      zones.emplace(name, *zone);
    }
    auto cron = pinpipe::scheduler::Cron::parse(line.substr(second + 1));
    auto next = cron ? cron->next_after(instant * 1000, zones.at(name)) : std::nullopt;
    if (next) {
      std::printf("%lld\n", static_cast<long long>(*next / 1000));
    } else {
      std::puts(cron ? "never" : "invalid");
    }
  }
}
