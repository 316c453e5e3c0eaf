#include "kit/memory_files.h"

#include <algorithm>
#include <cerrno>

namespace pinpipe::kit {
namespace {

constexpr uint64_t sector_bytes = 512;

void put(std::string& into, uint64_t offset, std::string_view bytes) {
  if (into.size() < offset + bytes.size()) into.resize(offset + bytes.size());
  into.replace(offset, bytes.size(), bytes);
}

}  // namespace

class MemoryFile final : public io::File {
 public:
  MemoryFile(MemoryFiles& files, std::string path, MemoryFiles::Node node)
      : files_(files),
        path_(std::move(path)),
        node_(std::move(node)),
        generation_(files.generation_) {}

  Result<size_t> read_at(std::span<char> into, uint64_t offset) override {
    std::lock_guard lock(files_.mutex_);
    if (is_dead() || files_.failing_reads_) return error_of_errno(EIO, "read " + path_);
    if (offset >= node_->bytes.size()) return size_t{0};
    size_t count = std::min<size_t>(into.size(), node_->bytes.size() - offset);
    std::copy_n(node_->bytes.data() + offset, count, into.data());
    return count;
  }
  Status write_at(std::span<const std::string_view> pieces, uint64_t offset) override {
    std::lock_guard lock(files_.mutex_);
    if (is_dead()) return error_of_errno(EIO, "write " + path_);
    if (Status may = files_.take("write", path_); !may) return may;
    for (std::string_view piece : pieces) {
      if (Status done = files_.write(path_, *node_, piece, offset); !done) return done;
      offset += piece.size();
    }
    return {};
  }
  Status sync() override {
    std::lock_guard lock(files_.mutex_);
    if (is_dead()) return error_of_errno(EIO, "sync " + path_);
    if (Status may = files_.take("sync", path_); !may) return may;
    return files_.sync(path_, *node_);
  }
  Status truncate(uint64_t size) override {
    std::lock_guard lock(files_.mutex_);
    if (is_dead()) return error_of_errno(EIO, "truncate " + path_);
    if (Status may = files_.take("truncate", path_); !may) return may;
    node_->bytes.resize(size);
    node_->changes.push_back({.offset = 0, .bytes = {}, .truncated_to = size});
    return {};
  }
  Result<uint64_t> size() override {
    std::lock_guard lock(files_.mutex_);
    if (is_dead()) return error_of_errno(EIO, "look at " + path_);
    return node_->bytes.size();
  }

 private:
  bool is_dead() const { return generation_ != files_.generation_; }

  MemoryFiles& files_;
  std::string path_;
  MemoryFiles::Node node_;
  uint64_t generation_;
};

void MemoryFiles::lose_unsynced(Inode& node) {
  node.bytes = node.durable;
  for (Change& change : node.changes) {
    uint64_t fate = random_.below(4);
    if (fate == 0) continue;
    if (change.truncated_to) {
      node.bytes.resize(*change.truncated_to);
      continue;
    }
    std::string_view bytes = change.bytes;
    if (fate == 1) {
      uint64_t sectors = random_.below(bytes.size() / sector_bytes + 1);
      bytes = bytes.substr(0, sectors * sector_bytes);
    }
    put(node.bytes, change.offset, bytes);
  }
  node.changes.clear();
  node.durable = node.bytes;
}

void MemoryFiles::power_cut() {
  std::lock_guard lock(mutex_);
  cut_now();
}

void MemoryFiles::cut_power_after(uint64_t operations) {
  std::lock_guard lock(mutex_);
  operations_left_ = operations;
}
void MemoryFiles::power_off() {
  std::lock_guard lock(mutex_);
  if (std::exchange(powered_, false)) cut_now();
}
bool MemoryFiles::has_power() const {
  std::lock_guard lock(mutex_);
  return powered_;
}
void MemoryFiles::power_on() {
  std::lock_guard lock(mutex_);
  powered_ = true;
  operations_left_ = UINT64_MAX;
}
uint64_t MemoryFiles::operations() const {
  std::lock_guard lock(mutex_);
  return operations_;
}

Status MemoryFiles::look(std::string_view what, const std::string& path) const {
  return powered_ ? Status{} : error_of_errno(EIO, std::string(what) + " " + path);
}

Status MemoryFiles::take(std::string_view what, const std::string& path) {
  if (powered_ && operations_left_ == 0) {
    powered_ = false;
    cut_now();
  }
  if (operations_left_ != UINT64_MAX && operations_left_ > 0) --operations_left_;
  if (powered_) ++operations_;
  return look(what, path);
}

bool MemoryFiles::forgets_syncs_of(const std::string& path) const {
  return std::ranges::any_of(ignored_suffixes_,
                             [&](const std::string& end) { return path.ends_with(end); }) ||
         std::ranges::any_of(ignored_parts_,
                             [&](const std::string& part) { return path.contains(part); });
}

void MemoryFiles::cut_now() {
  ++generation_;
  failing_sync_ = false;
  names_ = durable_names_;
  for (auto& [directory, changes] : name_changes_) {
    uint64_t survivors = random_.below(changes.size() + 1);
    for (uint64_t i = 0; i < survivors; ++i) changes[i].apply(names_);
  }
  name_changes_.clear();
  // What hangs in a directory that did not survive is gone with it.
  std::erase_if(names_, [&](const auto& name) {
    for (std::string parent = io::parent_directory(name.first); parent != "/" && parent != ".";
         parent = io::parent_directory(parent)) {
      // A file may have taken the place of a directory whose entries were not told to be gone.
      Node above = find(parent);
      if (!above || !above->is_directory) return true;
    }
    return false;
  });
  durable_names_ = names_;
  std::set<Inode*> done;
  for (auto& [path, node] : names_) {
    if (!node->is_directory && done.insert(node.get()).second) lose_unsynced(*node);
  }
}

void MemoryFiles::set_capacity(std::optional<uint64_t> bytes) {
  std::lock_guard lock(mutex_);
  capacity_ = bytes;
}
void MemoryFiles::fail_next_sync() {
  std::lock_guard lock(mutex_);
  failing_sync_ = true;
}
void MemoryFiles::fail_reads(bool failing) {
  std::lock_guard lock(mutex_);
  failing_reads_ = failing;
}
void MemoryFiles::flip_bit(const std::string& path, uint64_t byte) {
  std::lock_guard lock(mutex_);
  char& at = find(path)->bytes.at(byte);
  at = static_cast<char>(at ^ 1);
  find(path)->durable = find(path)->bytes;
}
void MemoryFiles::append_garbage(const std::string& path, std::string_view bytes) {
  std::lock_guard lock(mutex_);
  find(path)->bytes.append(bytes);
  find(path)->durable = find(path)->bytes;
}
uint64_t MemoryFiles::syncs() const {
  std::lock_guard lock(mutex_);
  return syncs_;
}
void MemoryFiles::ignore_syncs_of(std::string suffix) {
  std::lock_guard lock(mutex_);
  ignored_suffixes_.insert(std::move(suffix));
}
void MemoryFiles::ignore_syncs_within(std::string part) {
  std::lock_guard lock(mutex_);
  ignored_parts_.insert(std::move(part));
}

MemoryFiles::Node MemoryFiles::find(const std::string& path) const {
  auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

MemoryFiles::Node MemoryFiles::make(const std::string& path, bool is_directory) {
  auto node = std::make_shared<Inode>();
  node->is_directory = is_directory;
  node->number = next_number_++;
  change_name(path, node);
  return node;
}

// A directory of the same name that comes later is another one: what was in the first does not come
// back in it.
void MemoryFiles::NameChange::apply(Names& names) const {
  if (node) {
    names[path] = node;
    return;
  }
  names.erase(path);
  for (const auto& [name, last] : below) {
    auto there = names.find(name);
    if (there != names.end() && there->second == last) names.erase(there);
  }
}

void MemoryFiles::change_name(const std::string& path, Node node) {
  NameChange change{.path = path, .node = std::move(node), .below = {}};
  if (Node former = find(path); !change.node && former && former->is_directory) {
    const std::string inside = path + "/";
    for (auto at = durable_names_.lower_bound(inside);
         at != durable_names_.end() && at->first.starts_with(inside); ++at)
      change.below.insert(*at);
  }
  change.apply(names_);
  name_changes_[io::parent_directory(path)].push_back(std::move(change));
}

uint64_t MemoryFiles::used_bytes() const {
  uint64_t used = 0;
  for (const auto& [path, node] : names_) used += node->bytes.size();
  return used;
}

Status MemoryFiles::write(const std::string& path, Inode& node, std::string_view bytes,
                          uint64_t offset) {
  std::string_view fits = bytes;
  if (capacity_) {
    uint64_t growth =
        std::max<uint64_t>(node.bytes.size(), offset + bytes.size()) - node.bytes.size();
    uint64_t used = used_bytes();
    uint64_t room = used < *capacity_ ? *capacity_ - used : 0;
    if (growth > room) fits = bytes.substr(0, bytes.size() - std::min(bytes.size(), growth - room));
  }
  put(node.bytes, offset, fits);
  node.changes.push_back({.offset = offset, .bytes = std::string(fits), .truncated_to = {}});
  return fits.size() < bytes.size() ? error_of_errno(ENOSPC, "write " + path) : Status{};
}

Status MemoryFiles::sync(const std::string& path, Inode& node) {
  ++syncs_;
  if (std::exchange(failing_sync_, false)) {
    // As Linux does: the pages are dropped and the next sync would say that all is well.
    lose_unsynced(node);
    return error_of_errno(EIO, "sync " + path);
  }
  if (forgets_syncs_of(path)) return {};
  node.durable = node.bytes;
  node.changes.clear();
  return {};
}

Result<std::unique_ptr<io::File>> MemoryFiles::open(const std::string& path, io::OpenMode mode) {
  std::lock_guard lock(mutex_);
  if (Status may = look("open", path); !may) return may.error();
  Node node = find(path);
  if (node && node->is_directory) return error_of_errno(EISDIR, "open " + path);
  if (node && mode == io::OpenMode::create_new) return error_of_errno(EEXIST, "open " + path);
  if (!node) {
    bool may_create = mode == io::OpenMode::create || mode == io::OpenMode::create_new;
    Node parent = find(io::parent_directory(path));
    if (!may_create || !parent || !parent->is_directory)
      return error_of_errno(ENOENT, "open " + path);
    if (Status made = take("create", path); !made) return made.error();
    node = make(path, false);
  }
  return std::unique_ptr<io::File>(std::make_unique<MemoryFile>(*this, path, node));
}

// "a/b/" is the directory "a/b", as for the disk.
static std::string without_slash(const std::string& path) {
  return path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

Result<io::FileFacts> MemoryFiles::facts(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (Status may = look("look at", path); !may) return may.error();
  Node node = find(without_slash(path));
  if (!node) return error_of_errno(ENOENT, "look at " + path);
  return io::FileFacts{.size = node->bytes.size(),
                       .modified_ms = 0,
                       .is_directory = node->is_directory,
                       .inode = node->number};
}

Result<std::vector<io::DirEntry>> MemoryFiles::list(const std::string& directory) {
  std::lock_guard lock(mutex_);
  if (Status may = look("list", directory); !may) return may.error();
  Node node = find(without_slash(directory));
  if (!node || !node->is_directory) return error_of_errno(ENOENT, "list " + directory);
  std::vector<io::DirEntry> entries;
  std::string prefix = without_slash(directory) + "/";
  for (auto at = names_.lower_bound(prefix); at != names_.end() && at->first.starts_with(prefix);
       ++at) {
    std::string name = at->first.substr(prefix.size());
    if (name.find('/') == std::string::npos)
      entries.push_back({std::move(name), at->second->is_directory});
  }
  std::ranges::sort(entries, {}, &io::DirEntry::name);
  return entries;
}

Status MemoryFiles::make_directories(const std::string& directory) {
  std::lock_guard lock(mutex_);
  if (Node there = find(directory); there && there->is_directory) return look("look at", directory);
  if (Status may = take("make directory", directory); !may) return may;
  for (size_t slash = directory.find('/', 1);; slash = directory.find('/', slash + 1)) {
    std::string path = directory.substr(0, slash);
    Node node = find(path);
    if (node && !node->is_directory) return error_of_errno(ENOTDIR, "make directory " + path);
    if (!node) make(path, true);
    if (slash == std::string::npos) return {};
  }
}

Status MemoryFiles::remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (!find(path)) return error_of_errno(ENOENT, "remove " + path);
  auto child = names_.lower_bound(path + "/");
  if (child != names_.end() && child->first.starts_with(path + "/"))
    return error_of_errno(ENOTEMPTY, "remove " + path);
  if (Status may = take("remove", path); !may) return may;
  change_name(path, nullptr);
  return {};
}

Status MemoryFiles::rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  Node node = find(from);
  if (!node || node->is_directory) return error_of_errno(ENOENT, "rename " + from);
  if (Status may = take("rename", from); !may) return may;
  change_name(to, node);
  change_name(from, nullptr);
  return {};
}

Status MemoryFiles::link(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  Node node = find(from);
  if (!node) return error_of_errno(ENOENT, "link " + from);
  if (find(to)) return error_of_errno(EEXIST, "link " + to);
  if (Status may = take("link", from); !may) return may;
  change_name(to, node);
  return {};
}

Status MemoryFiles::sync_directory(const std::string& directory) {
  std::lock_guard lock(mutex_);
  if (Status may = take("sync", directory); !may) return may;
  ++syncs_;
  if (std::exchange(failing_sync_, false)) return error_of_errno(EIO, "sync " + directory);
  if (forgets_syncs_of(directory)) return {};
  for (const NameChange& change : name_changes_[directory]) change.apply(durable_names_);
  name_changes_.erase(directory);
  return {};
}

Result<uint64_t> MemoryFiles::free_bytes(const std::string&) {
  std::lock_guard lock(mutex_);
  uint64_t used = used_bytes();
  if (!capacity_) return uint64_t{1} << 40;
  return used < *capacity_ ? *capacity_ - used : 0;
}

}  // namespace pinpipe::kit
