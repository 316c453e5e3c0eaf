#include "kit/sqlite_disk.h"

#include <atomic>
#include <cstring>
#include <limits>
#include <mutex>
#include <sqlite3.h>
#include <vector>

#include "base/check.h"

namespace pinpipe::kit {

struct SqliteDisk::Impl {
  static constexpr uint64_t for_ever = std::numeric_limits<uint64_t>::max();

  explicit Impl(MemoryFiles& on) : files(on) {}

  MemoryFiles& files;
  sqlite3_vfs layer{};
  sqlite3_vfs* machine = nullptr;  // for time, randomness and sleep
  std::mutex mutex;
  uint64_t left = for_ever;
  bool powered = true;
  uint64_t operations = 0;
  std::atomic<uint64_t> next_temporary{0};

  // Whether an operation that changes the disk may go on.
  bool take() {
    std::lock_guard lock(mutex);
    if (!powered) return false;
    if (left == 0) {
      powered = false;
      files.power_cut();
      return false;
    }
    if (left != for_ever) --left;
    ++operations;
    return true;
  }
  bool has_power() {
    std::lock_guard lock(mutex);
    return powered;
  }
};

namespace {

using Disk = SqliteDisk::Impl;

struct OpenFile {
  Disk& disk;
  std::string path;
  std::unique_ptr<io::File> file;
  bool is_temporary = false;
  bool sync_name = false;                                    // with the next sync: a new journal's
  std::vector<std::unique_ptr<std::vector<char>>> shared{};  // the index of a write-ahead log
};

// What SQLite calls a file: its own part, then ours.
struct Handle {
  sqlite3_file base;
  OpenFile* open;
};

OpenFile& of(sqlite3_file* file) {
  return *reinterpret_cast<Handle*>(file)->open;
}

Disk& of(sqlite3_vfs* layer) {
  return *static_cast<Disk*>(layer->pAppData);
}

int close_file(sqlite3_file* file) {
  std::unique_ptr<OpenFile> open(&of(file));
  open->file.reset();
  if (open->is_temporary) (void)open->disk.files.remove(open->path);
  return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* into, int size, sqlite3_int64 offset) {
  OpenFile& open = of(file);
  std::span<char> bytes(static_cast<char*>(into), static_cast<size_t>(size));
  if (!open.disk.has_power()) return SQLITE_IOERR_READ;
  auto got = open.file->read_at(bytes, static_cast<uint64_t>(offset));
  if (!got) return SQLITE_IOERR_READ;
  if (*got == bytes.size()) return SQLITE_OK;
  std::memset(bytes.data() + *got, 0, bytes.size() - *got);
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  OpenFile& open = of(file);
  if (!open.disk.take()) return SQLITE_IOERR_WRITE;
  std::string_view bytes(static_cast<const char*>(from), static_cast<size_t>(size));
  if (open.file->write_at(bytes, static_cast<uint64_t>(offset))) return SQLITE_OK;
  auto free = open.disk.files.free_bytes(io::parent_directory(open.path));
  return free && *free < bytes.size() ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  OpenFile& open = of(file);
  if (!open.disk.take()) return SQLITE_IOERR_TRUNCATE;
  return open.file->truncate(static_cast<uint64_t>(size)) ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

int sync_file(sqlite3_file* file, int) {
  OpenFile& open = of(file);
  if (!open.disk.take()) return SQLITE_IOERR_FSYNC;
  if (!open.file->sync()) return SQLITE_IOERR_FSYNC;
  if (!std::exchange(open.sync_name, false)) return SQLITE_OK;
  if (!open.disk.take()) return SQLITE_IOERR_DIR_FSYNC;
  Status named = open.disk.files.sync_directory(io::parent_directory(open.path));
  return named ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  auto bytes = of(file).file->size();
  if (!bytes) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(*bytes);
  return SQLITE_OK;
}

int lock_file(sqlite3_file*, int) {
  return SQLITE_OK;
}

int look_at_lock(sqlite3_file*, int* reserved) {
  *reserved = 0;
  return SQLITE_OK;
}

int control_file(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}

int sector_bytes(sqlite3_file*) {
  return 512;
}

int characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** at) {
  auto& shared = of(file).shared;
  auto index = static_cast<size_t>(region);
  while (extend != 0 && shared.size() <= index)
    shared.push_back(std::make_unique<std::vector<char>>(static_cast<size_t>(size)));
  *at = index < shared.size() ? shared[index]->data() : nullptr;
  return SQLITE_OK;
}

int lock_shared(sqlite3_file*, int, int, int) {
  return SQLITE_OK;
}

void order_shared(sqlite3_file*) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

int unmap_shared(sqlite3_file* file, int) {
  of(file).shared.clear();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods methods{.iVersion = 2,
                                     .xClose = close_file,
                                     .xRead = read_file,
                                     .xWrite = write_file,
                                     .xTruncate = truncate_file,
                                     .xSync = sync_file,
                                     .xFileSize = size_of_file,
                                     .xLock = lock_file,
                                     .xUnlock = lock_file,
                                     .xCheckReservedLock = look_at_lock,
                                     .xFileControl = control_file,
                                     .xSectorSize = sector_bytes,
                                     .xDeviceCharacteristics = characteristics,
                                     .xShmMap = map_shared,
                                     .xShmLock = lock_shared,
                                     .xShmBarrier = order_shared,
                                     .xShmUnmap = unmap_shared,
                                     .xFetch = nullptr,
                                     .xUnfetch = nullptr};

int open_file(sqlite3_vfs* layer, const char* name, sqlite3_file* file, int flags, int* got) {
  Disk& disk = of(layer);
  file->pMethods = nullptr;  // SQLite closes nothing that did not open
  if (!disk.has_power()) return SQLITE_CANTOPEN;
  bool is_temporary = name == nullptr || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  std::string path =
      name != nullptr ? name : "/temporary-" + std::to_string(disk.next_temporary.fetch_add(1));
  bool creates = (flags & SQLITE_OPEN_CREATE) != 0 && !disk.files.exists(path);
  if (creates && !disk.take()) return SQLITE_CANTOPEN;
  auto opened = disk.files.open(
      path, (flags & SQLITE_OPEN_CREATE) != 0 ? io::OpenMode::create : io::OpenMode::write);
  if (!opened) return SQLITE_CANTOPEN;
  constexpr int journals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
  auto* handle = reinterpret_cast<Handle*>(file);
  handle->open = new OpenFile{.disk = disk,
                              .path = std::move(path),
                              .file = std::move(*opened),
                              .is_temporary = is_temporary,
                              .sync_name = creates && (flags & journals) != 0};
  file->pMethods = &methods;
  if (got != nullptr) *got = flags;
  return SQLITE_OK;
}

int remove_file(sqlite3_vfs* layer, const char* name, int sync_name) {
  Disk& disk = of(layer);
  if (!disk.files.exists(name)) return SQLITE_IOERR_DELETE_NOENT;
  if (!disk.take() || !disk.files.remove(name)) return SQLITE_IOERR_DELETE;
  if (sync_name == 0) return SQLITE_OK;
  if (!disk.take()) return SQLITE_IOERR_DIR_FSYNC;
  Status named = disk.files.sync_directory(io::parent_directory(name));
  return named ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

int look_at_file(sqlite3_vfs* layer, const char* name, int, int* there) {
  Disk& disk = of(layer);
  *there = disk.has_power() && disk.files.exists(name) ? 1 : 0;
  return SQLITE_OK;
}

int name_whole(sqlite3_vfs*, const char* name, int size, char* into) {
  std::string_view whole = name;
  if (whole.size() >= static_cast<size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(into, name, whole.size() + 1);
  return SQLITE_OK;
}

int draw_random(sqlite3_vfs* layer, int size, char* into) {
  sqlite3_vfs* machine = of(layer).machine;
  return machine->xRandomness(machine, size, into);
}

int sleep_us(sqlite3_vfs* layer, int microseconds) {
  sqlite3_vfs* machine = of(layer).machine;
  return machine->xSleep(machine, microseconds);
}

int tell_time(sqlite3_vfs* layer, sqlite3_int64* julian_ms) {
  sqlite3_vfs* machine = of(layer).machine;
  return machine->xCurrentTimeInt64(machine, julian_ms);
}

}  // namespace

SqliteDisk::SqliteDisk(MemoryFiles& files) : impl_(std::make_unique<Impl>(files)) {
  impl_->machine = sqlite3_vfs_find(nullptr);
  CHECK(impl_->machine != nullptr && impl_->machine->pAppData != impl_.get(),
        "SQLite has a layer of its own");
  sqlite3_vfs& layer = impl_->layer;
  layer.iVersion = 2;
  layer.szOsFile = sizeof(Handle);
  layer.mxPathname = 512;
  layer.zName = "pinpipe-memory";
  layer.pAppData = impl_.get();
  layer.xOpen = open_file;
  layer.xDelete = remove_file;
  layer.xAccess = look_at_file;
  layer.xFullPathname = name_whole;
  layer.xRandomness = draw_random;
  layer.xSleep = sleep_us;
  layer.xCurrentTimeInt64 = tell_time;
  CHECK(sqlite3_vfs_register(&layer, 1) == SQLITE_OK, "SQLite takes another layer");
}

SqliteDisk::~SqliteDisk() {
  sqlite3_vfs_unregister(&impl_->layer);
  sqlite3_vfs_register(impl_->machine, 1);
}

void SqliteDisk::cut_power_after(uint64_t operations) {
  std::lock_guard lock(impl_->mutex);
  impl_->left = operations;
}

bool SqliteDisk::has_power() const {
  return impl_->has_power();
}

void SqliteDisk::power_on() {
  std::lock_guard lock(impl_->mutex);
  impl_->powered = true;
  impl_->left = Impl::for_ever;
}

uint64_t SqliteDisk::operations() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->operations;
}

}  // namespace pinpipe::kit
