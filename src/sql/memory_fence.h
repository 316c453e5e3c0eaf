// A bound on what libduckdb maps, beyond its own memory limit.
//
// Its limit counts what it keeps: tables, sorts, hash tables. What one function makes on its way
// (range(1000000000), lpad('a', 2000000000, 'b')) is counted nowhere, and a single query was seen
// to take 24 GB and the process with it. Refused here, such an allocation is that query's "out of
// memory" and nothing else happens: libduckdb's allocator is told that there is no more.
//
// How: the program's own mmap, munmap and sbrk stand before the C library's, as the dynamic linker
// promises for the main program; calls from other code than libduckdb pass unchanged. Its allocator
// is told to unmap what it gives back. Without effect under the sanitizers, which have their own.
// Promise: the bytes that libduckdb has mapped never exceed resting_bytes and the shares of the
// engines that are open.
#pragma once

#include <cstdint>

namespace pinpipe::sql {

class MemoryFence {
 public:
  // Twice the memory limit of an engine, for what its functions make, and as much as opening takes.
  static constexpr uint64_t opening_bytes = uint64_t{512} << 20;
  // What the library has when no engine is open, and what closed ones are about to give back.
  static constexpr uint64_t resting_bytes = uint64_t{64} << 20;

  // Allows an engine of that memory limit its share for as long as it lives.
  explicit MemoryFence(uint64_t memory_bytes);
  ~MemoryFence();
  MemoryFence(const MemoryFence&) = delete;

  // Code in this range of addresses is fenced from now on.
  static void enclose(const void* code, uint64_t code_bytes);
  static uint64_t mapped_bytes();

 private:
  const uint64_t share_;
};

}  // namespace pinpipe::sql
