#include "project/place.h"

#include <fmt/format.h>

namespace pinpipe::project {
namespace {

constexpr std::string_view object_schemes[] = {"s3://", "s3a://", "s3n://"};

std::string without_double_slashes(std::string_view text) {
  std::string path;
  for (char c : text) {
    if (c != '/' || path.empty() || path.back() != '/') path += c;
  }
  return path;
}

bool climbs(std::string_view path) {
  while (!path.empty()) {
    size_t end = std::min(path.find('/'), path.size());
    if (path.substr(0, end) == "..") return true;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return false;
}

// "KEY:SECRET@bucket/key" or "bucket/key". The secret of an old mount line may hold slashes.
Result<Place> object_place(std::string_view text) {
  if (size_t at = text.rfind('@'); at != std::string_view::npos && text.substr(0, at).contains(':'))
    text.remove_prefix(at + 1);
  size_t slash = std::min(text.find('/'), text.size());
  Place place{.bucket = std::string(text.substr(0, slash)), .path = {}};
  if (place.bucket.empty()) return Error(Code::invalid, "there is no bucket after the scheme");
  place.path = without_double_slashes(text.substr(std::min(slash + 1, text.size())));
  if (place.path.starts_with('/')) place.path.erase(0, 1);
  return place;
}

const Mount* mount_of(std::string_view path, std::span<const Mount> mounts) {
  const Mount* longest = nullptr;
  for (const Mount& mount : mounts) {
    std::string_view root = mount.path;
    while (root.size() > 1 && root.ends_with('/')) root.remove_suffix(1);
    bool fits = path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
    if (fits && (longest == nullptr || mount.path.size() > longest->path.size())) longest = &mount;
  }
  return longest;
}

Result<Place> mounted_place(const Mount& mount, std::string_view path) {
  std::string_view root = mount.path;
  while (root.size() > 1 && root.ends_with('/')) root.remove_suffix(1);
  path.remove_prefix(root.size());
  if (path.starts_with('/')) path.remove_prefix(1);
  if (climbs(path))
    return Error(Code::invalid, fmt::format("'..' would lead out of the mount {}", mount.path));
  std::string key = mount.prefix;
  if (!key.empty() && !key.ends_with('/')) key += '/';
  return Place{.bucket = mount.bucket, .path = key + std::string(path)};
}

}  // namespace

Result<Place> resolve_place(std::string_view text, std::span<const Mount> mounts) {
  for (std::string_view scheme : object_schemes) {
    if (text.starts_with(scheme)) return object_place(text.substr(scheme.size()));
  }
  bool must_be_mounted = false;
  for (std::string_view scheme : {"dbfs:", "/dbfs/"}) {
    if (!text.starts_with(scheme)) continue;
    text.remove_prefix(scheme.ends_with('/') ? scheme.size() - 1 : scheme.size());
    must_be_mounted = true;
    break;
  }
  if (text.starts_with("file:")) {
    text.remove_prefix(5);
    while (text.starts_with("//")) text.remove_prefix(1);
    return Place{.bucket = {}, .path = std::string(text)};
  }
  std::string path = without_double_slashes(text);
  if (const Mount* mount = mount_of(path, mounts); mount != nullptr)
    return mounted_place(*mount, path);
  if (!must_be_mounted) return Place{.bucket = {}, .path = std::string(text)};
  std::string known;
  for (const Mount& mount : mounts) known += (known.empty() ? "" : ", ") + mount.path;
  return Error(Code::not_found, fmt::format("no mount of the project covers {}; there {}", path,
                                            known.empty() ? "are none" : "is " + known));
}

Result<Place> mount_target(std::string_view text) {
  for (std::string_view scheme : object_schemes) {
    if (text.starts_with(scheme)) return object_place(text.substr(scheme.size()));
  }
  if (text.find('/') != std::string_view::npos || text.find(':') != std::string_view::npos)
    return Error(Code::invalid, "a mount stands for s3://bucket, s3://bucket/prefix or a bucket");
  return Place{.bucket = std::string(text), .path = {}};
}

}  // namespace pinpipe::project
