#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/check.h"
#include "io/files.h"

namespace pinpipe::io {
namespace {

class PosixFile final : public File {
 public:
  PosixFile(int descriptor, std::string path, bool syncs)
      : descriptor_(descriptor), path_(std::move(path)), syncs_(syncs) {}
  ~PosixFile() override { ::close(descriptor_); }

  Result<size_t> read_at(std::span<char> into, uint64_t offset) override {
    size_t done = 0;
    while (done < into.size()) {
      ssize_t got = ::pread(descriptor_, into.data() + done, into.size() - done,
                            static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return error_of_errno(errno, "read " + path_);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  Result<std::optional<size_t>> read_warm(std::span<char> into, uint64_t offset) override {
    size_t done = 0;
    while (done < into.size()) {
      iovec vector{into.data() + done, into.size() - done};
      ssize_t got =
          ::preadv2(descriptor_, &vector, 1, static_cast<off_t>(offset + done), RWF_NOWAIT);
      if (got < 0 && errno == EINTR) continue;
      // Some file systems, such as tmpfs, cannot tell: then it counts as not in memory.
      if (got < 0 && (errno == EAGAIN || errno == EOPNOTSUPP)) return std::optional<size_t>{};
      if (got < 0) return error_of_errno(errno, "read " + path_);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return std::optional<size_t>(done);
  }

  Status write_at(std::span<const std::string_view> pieces, uint64_t offset) override {
    constexpr size_t batch_max = 64;
    uint64_t begin = offset;
    while (!pieces.empty()) {
      std::array<iovec, batch_max> vectors;
      size_t count = std::min(pieces.size(), batch_max);
      for (size_t i = 0; i < count; ++i)
        vectors[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
      if (Status done = write_vectors({vectors.data(), count}, offset); !done) return done;
      pieces = pieces.subspan(count);
    }
    send_ahead(offset - begin);
    return {};
  }

  Status sync() override {
    while (syncs_ && ::fdatasync(descriptor_) != 0) {
      if (errno != EINTR) return error_of_errno(errno, "sync " + path_);
    }
    return {};
  }

  Status truncate(uint64_t size) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0)
      return error_of_errno(errno, "truncate " + path_);
    return {};
  }

  Result<uint64_t> size() override {
    struct stat facts{};
    if (::fstat(descriptor_, &facts) != 0) return error_of_errno(errno, "look at " + path_);
    return static_cast<uint64_t>(facts.st_size);
  }

  int descriptor() const override { return descriptor_; }

 private:
  Status write_vectors(std::span<iovec> vectors, uint64_t& offset) {
    while (!vectors.empty()) {
      ssize_t put = ::pwritev(descriptor_, vectors.data(), static_cast<int>(vectors.size()),
                              static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return error_of_errno(errno, "write " + path_);
      offset += static_cast<uint64_t>(put);
      auto left = static_cast<size_t>(put);
      while (!vectors.empty() && left >= vectors.front().iov_len) {
        left -= vectors.front().iov_len;
        vectors = vectors.subspan(1);
      }
      if (left > 0) {
        vectors.front().iov_base = static_cast<char*>(vectors.front().iov_base) + left;
        vectors.front().iov_len -= left;
      }
    }
    return {};
  }

  // What is written and not synced for long would have the one sync that comes wait for all of it,
  // and everybody behind it: it goes to the disk in portions, without waiting.
  void send_ahead(uint64_t written) {
    constexpr uint64_t portion_bytes = 8 << 20;
    uint64_t kept = kept_bytes_.fetch_add(written, std::memory_order_relaxed) + written;
    if (!syncs_ || kept < portion_bytes) return;
    kept_bytes_.store(0, std::memory_order_relaxed);
    (void)::sync_file_range(descriptor_, 0, 0, SYNC_FILE_RANGE_WRITE);
  }

  int descriptor_;
  std::string path_;
  bool syncs_;
  std::atomic<uint64_t> kept_bytes_{0};
};

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::write:
      return O_RDWR;
    case OpenMode::create:
      return O_RDWR | O_CREAT;
    case OpenMode::create_new:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

class PosixFiles final : public Files {
 public:
  explicit PosixFiles(bool syncs) : syncs_(syncs) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int descriptor = ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, 0644);
    if (descriptor < 0) return error_of_errno(errno, "open " + path);
    return std::unique_ptr<File>(std::make_unique<PosixFile>(descriptor, path, syncs_));
  }

  Result<FileFacts> facts(const std::string& path) override {
    struct stat raw{};
    if (::stat(path.c_str(), &raw) != 0) return error_of_errno(errno, "look at " + path);
    return FileFacts{.size = static_cast<uint64_t>(raw.st_size),
                     .modified_ms = raw.st_mtim.tv_sec * 1000LL + raw.st_mtim.tv_nsec / 1'000'000,
                     .is_directory = S_ISDIR(raw.st_mode),
                     .inode = raw.st_ino};
  }

  Result<std::vector<DirEntry>> list(const std::string& directory) override {
    DIR* handle = ::opendir(directory.c_str());
    if (handle == nullptr) return error_of_errno(errno, "list " + directory);
    std::vector<DirEntry> entries;
    while (const dirent* entry = ::readdir(handle)) {
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      bool is_directory = entry->d_type == DT_DIR;
      if (entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK) {
        auto found = facts(directory + "/" + name);
        is_directory = found && found->is_directory;
      }
      entries.push_back({std::move(name), is_directory});
    }
    ::closedir(handle);
    std::ranges::sort(entries, {}, &DirEntry::name);
    return entries;
  }

  Status make_directories(const std::string& directory) override {
    if (::mkdir(directory.c_str(), 0755) == 0) return {};
    if (errno == ENOENT) {
      std::string parent = parent_directory(directory);
      if (parent == directory) return error_of_errno(ENOENT, "make directory " + directory);
      if (Status made = make_directories(parent); !made) return made;
      if (::mkdir(directory.c_str(), 0755) == 0) return {};
    }
    int reason = errno;
    auto found = facts(directory);
    if (reason == EEXIST && found && found->is_directory) return {};
    return error_of_errno(reason, "make directory " + directory);
  }

  Status remove(const std::string& path) override {
    if (::remove(path.c_str()) != 0) return error_of_errno(errno, "remove " + path);
    return {};
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0)
      return error_of_errno(errno, "rename " + from + " to " + to);
    return {};
  }

  Status link(const std::string& from, const std::string& to) override {
    if (::link(from.c_str(), to.c_str()) != 0)
      return error_of_errno(errno, "link " + from + " to " + to);
    return {};
  }

  Status sync_directory(const std::string& directory) override {
    if (!syncs_) return {};
    int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return error_of_errno(errno, "open directory " + directory);
    int outcome = ::fsync(descriptor);
    int reason = errno;
    ::close(descriptor);
    if (outcome != 0) return error_of_errno(reason, "sync directory " + directory);
    return {};
  }

  Status sync_tree(const std::string& directory) override {
    if (!syncs_) return {};
    int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return error_of_errno(errno, "open directory " + directory);
    int outcome = ::syncfs(descriptor);
    int reason = errno;
    ::close(descriptor);
    if (outcome != 0) return error_of_errno(reason, "sync the disk of " + directory);
    return {};
  }

  Result<uint64_t> free_bytes(const std::string& directory) override {
    struct statvfs facts{};
    if (::statvfs(directory.c_str(), &facts) != 0)
      return error_of_errno(errno, "look at the disk of " + directory);
    return static_cast<uint64_t>(facts.f_bavail) * facts.f_frsize;
  }

 private:
  bool syncs_;
};

}  // namespace

Files& posix_files() {
  static PosixFiles files(true);
  return files;
}

Files& unsynced_posix_files() {
  static PosixFiles files(false);
  return files;
}

}  // namespace pinpipe::io
