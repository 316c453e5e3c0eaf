#include "lake/location.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/id.h"

namespace pinpipe::lake {
namespace {

// Exactly `width` digits at the front, which are taken off.
std::optional<int64_t> take_number(std::string_view& text, size_t width) {
  if (text.size() < width) return std::nullopt;
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + width, value);
  if (error != std::errc{} || end != text.data() + width || text[0] == '-') return std::nullopt;
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

}  // namespace

std::string Location::commit_key(Version version) const {
  return key(fmt::format("_delta_log/{:020}.json", version));
}

std::string Location::checkpoint_key(Version version) const {
  return key(fmt::format("_delta_log/{:020}.checkpoint.parquet", version));
}

std::string Location::checksum_key(Version version) const {
  return key(fmt::format("_delta_log/{:020}.crc", version));
}

std::optional<LogName> parse_log_name(std::string_view name) {
  auto version = take_number(name, 20);
  if (!version) return std::nullopt;
  LogName parsed{.kind = LogName::Kind::commit, .version = *version, .last = *version};
  if (name == ".json") return parsed;
  if (name == ".crc") {
    parsed.kind = LogName::Kind::checksum;
    return parsed;
  }
  if (name == ".checkpoint.parquet") {
    parsed.kind = LogName::Kind::checkpoint;
    return parsed;
  }
  if (take(name, ".checkpoint.")) {
    constexpr size_t uuid_size = 36;
    std::string_view ending = name.substr(std::min(name.size(), uuid_size));
    if (Uuid::from_text(name.substr(0, uuid_size)) && (ending == ".parquet" || ending == ".json")) {
      parsed.kind = LogName::Kind::checkpoint_v2;
      parsed.is_json = ending == ".json";
      return parsed;
    }
    auto part = take_number(name, 10);
    if (!part || !take(name, ".")) return std::nullopt;
    auto parts = take_number(name, 10);
    if (!parts || name != ".parquet" || *part < 1 || *part > *parts || *parts > 1'000'000) {
      return std::nullopt;
    }
    parsed.kind = LogName::Kind::checkpoint_part;
    parsed.part = static_cast<int>(*part);
    parsed.parts = static_cast<int>(*parts);
    return parsed;
  }
  if (!take(name, ".")) return std::nullopt;
  auto last = take_number(name, 20);
  if (!last || name != ".compacted.json" || *last < *version) return std::nullopt;
  parsed.kind = LogName::Kind::compacted;
  parsed.last = *last;
  return parsed;
}

std::string new_data_file_name(int number) {
  return fmt::format("part-{:05}-{}.c000.zstd.parquet", number, Uuid::random().text());
}

}  // namespace pinpipe::lake
