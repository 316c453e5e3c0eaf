#include "doors/s3/part_checksums.h"

#include <charconv>

#include "base/bytes.h"
#include "io/files.h"

namespace pinpipe::s3 {
namespace {

constexpr std::string_view kind_name = ".checksum-kind";
constexpr std::string_view type_name = ".checksum-type";
constexpr size_t step_bytes = 1 << 20;

}  // namespace

std::expected<std::optional<ChecksumPlan>, Failure> checksum_plan_of(const Call& call) {
  std::string algorithm(call.header("x-amz-checksum-algorithm"));
  std::string_view type = call.header("x-amz-checksum-type");
  if (algorithm.empty() && type.empty()) return std::nullopt;
  auto kind = checksum_of_header("x-amz-checksum-" + algorithm);
  if (!kind)
    return failure("InvalidRequest",
                   "Checksum algorithm provided is unsupported. Please try again with any of the "
                   "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
  bool is_digest = *kind == ChecksumKind::sha1 || *kind == ChecksumKind::sha256;
  ChecksumPlan plan{.kind = *kind, .is_composite = *kind != ChecksumKind::crc64nvme};
  if (type == "FULL_OBJECT") plan.is_composite = false;
  if (type == "COMPOSITE") plan.is_composite = true;
  if ((is_digest && !plan.is_composite) ||
      (*kind == ChecksumKind::crc64nvme && plan.is_composite) ||
      (!type.empty() && type != "FULL_OBJECT" && type != "COMPOSITE"))
    return failure("InvalidRequest", "The " + std::string(type) +
                                         " checksum type cannot be used with the " + algorithm +
                                         " checksum algorithm.");
  return plan;
}

void keep_plan(objects::Attributes& attributes, const ChecksumPlan& plan) {
  attributes.system[std::string(kind_name)] = header_of(plan.kind);
  attributes.system[std::string(type_name)] = plan.is_composite ? "COMPOSITE" : "FULL_OBJECT";
}

std::optional<ChecksumPlan> take_plan(objects::Attributes& attributes) {
  auto kind = attributes.system.find(std::string(kind_name));
  if (kind == attributes.system.end()) return std::nullopt;
  auto known = checksum_of_header(kind->second);
  auto type = attributes.system.find(std::string(type_name));
  bool is_composite = type != attributes.system.end() && type->second == "COMPOSITE";
  attributes.system.erase(std::string(kind_name));
  attributes.system.erase(std::string(type_name));
  if (!known) return std::nullopt;
  return ChecksumPlan{*known, is_composite};
}

std::optional<std::string> composite_checksum(ChecksumKind kind,
                                              const std::vector<objects::PartFacts>& parts) {
  Checksum whole(kind);
  for (const objects::PartFacts& part : parts) {
    auto given = part.checksums.find(std::string(header_of(kind)));
    auto raw = given == part.checksums.end() ? std::nullopt : from_base64(given->second);
    if (!raw) return std::nullopt;
    whole.add(*raw);
  }
  return whole.base64() + "-" + std::to_string(parts.size());
}

io::Task<Result<std::string>> checksum_of_file(std::string path, ChecksumKind kind,
                                               io::Pool& disk) {
  co_return co_await disk.run([&]() -> Result<std::string> {
    auto file = io::posix_files().open(path, io::OpenMode::read);
    if (!file) return file.error();
    Checksum checksum(kind);
    std::string step(step_bytes, '\0');
    for (uint64_t offset = 0;;) {
      auto got = (*file)->read_at(step, offset);
      if (!got) return got.error();
      if (*got == 0) return checksum.base64();
      checksum.add(std::string_view(step.data(), *got));
      offset += *got;
    }
  });
}

std::string part_sizes_text(const std::vector<objects::PartFacts>& parts) {
  std::string text;
  for (size_t i = 0; i < parts.size();) {
    size_t same = i;
    while (same < parts.size() && parts[same].size == parts[i].size) ++same;
    text += (text.empty() ? "" : ",") + std::to_string(parts[i].size);
    if (same - i > 1) text += "*" + std::to_string(same - i);
    i = same;
  }
  return text;
}

std::vector<uint64_t> part_sizes_of(std::string_view text) {
  std::vector<uint64_t> sizes;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  while (at < end) {
    uint64_t size = 0;
    uint64_t times = 1;
    at = std::from_chars(at, end, size).ptr;
    if (at < end && *at == '*') at = std::from_chars(at + 1, end, times).ptr;
    if (times > static_cast<size_t>(objects::Uploads::parts_max) - sizes.size()) return {};
    sizes.insert(sizes.end(), times, size);
    if (at < end && *at++ != ',') return {};
  }
  return sizes;
}

}  // namespace pinpipe::s3
