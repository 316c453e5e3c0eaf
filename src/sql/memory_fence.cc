#include "sql/memory_fence.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pinpipe::sql {
namespace {

// Plain atomics: the functions below run inside an allocator and may use nothing that allocates.
std::atomic<uintptr_t> code_begin{0};
std::atomic<uintptr_t> code_end{0};
std::atomic<uint64_t> allowed{MemoryFence::resting_bytes};
std::atomic<uint64_t> mapped{0};

[[maybe_unused]] bool is_fenced(const void* caller) {
  auto at = reinterpret_cast<uintptr_t>(caller);
  return at >= code_begin.load(std::memory_order_relaxed) &&
         at < code_end.load(std::memory_order_relaxed);
}

[[maybe_unused]] bool take(uint64_t bytes) {
  uint64_t before = mapped.fetch_add(bytes);
  if (before + bytes <= allowed.load()) return true;
  mapped.fetch_sub(bytes);
  return false;
}

}  // namespace

MemoryFence::MemoryFence(uint64_t memory_bytes) : share_(2 * memory_bytes + opening_bytes) {
  allowed.fetch_add(share_);
}

MemoryFence::~MemoryFence() {
  allowed.fetch_sub(share_);
}

void MemoryFence::enclose(const void* code, uint64_t code_bytes) {
  code_begin = reinterpret_cast<uintptr_t>(code);
  code_end = reinterpret_cast<uintptr_t>(code) + code_bytes;
}

uint64_t MemoryFence::mapped_bytes() {
  return mapped.load();
}

}  // namespace pinpipe::sql

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer) && \
    !__has_feature(memory_sanitizer)

namespace {

void* map(void* address, size_t bytes, int protection, int flags, int file, off_t offset) {
  // The system call itself: the C library's function is the one that this stands before.
  return reinterpret_cast<void*>(
      syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
}

}  // namespace

extern "C" {

// Read by libduckdb's allocator when it is loaded, instead of its own empty one: what it gives
// back is unmapped, not kept for later, so that what is mapped is what is in use.
__attribute__((visibility("default"))) const char* duckdb_je_malloc_conf_2_conf_harder =
    "retain:false";

__attribute__((visibility("default"))) void* mmap(void* address, size_t bytes, int protection,
                                                  int flags, int file, off_t offset) noexcept {
  namespace sql = pinpipe::sql;
  bool counts = (flags & MAP_ANONYMOUS) != 0 && sql::is_fenced(__builtin_return_address(0));
  if (counts && !sql::take(bytes)) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  void* at = map(address, bytes, protection, flags, file, offset);
  if (counts && at == MAP_FAILED) sql::mapped.fetch_sub(bytes);
  return at;
}

__attribute__((visibility("default"))) int munmap(void* address, size_t bytes) noexcept {
  auto result = static_cast<int>(syscall(SYS_munmap, address, bytes));
  if (result == 0 && pinpipe::sql::is_fenced(__builtin_return_address(0)))
    pinpipe::sql::mapped.fetch_sub(bytes);
  return result;
}

// The allocator's second way to memory; one is enough. Nobody else in the program calls it: the C
// library's own allocator does not go through this name.
__attribute__((visibility("default"))) void* sbrk(intptr_t) noexcept {
  errno = ENOMEM;
  return reinterpret_cast<void*>(-1);
}

}  // extern "C"

#endif
