// SQLite over a MemoryFiles disk: as long as this lives, databases that are opened lie there, and
// the power can go with any of their writes, syncs and changes of names. What SQLite is told to do
// goes to the disk as its own layer for Unix would do it: a new journal's name is synced with it.
// Thread-safe. Bounds: one of these at a time in a process; locks are not kept, so one connection
// to a file at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "kit/memory_files.h"

namespace pinpipe::kit {

class SqliteDisk {
 public:
  struct Impl;  // what SQLite's callbacks get

  explicit SqliteDisk(MemoryFiles& files);
  ~SqliteDisk();
  SqliteDisk(const SqliteDisk&) = delete;

  // The power goes with the operation after so many more; from then on everything fails, also
  // through what was open, until power_on().
  void cut_power_after(uint64_t operations);
  bool has_power() const;
  void power_on();
  uint64_t operations() const;  // that changed the disk or synced it

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace pinpipe::kit
