#include "doors/s3/checksums.h"

#include <cstring>

#include "base/ascii.h"
#include "base/bytes.h"
#include "http/message.h"

namespace pinpipe::s3 {
namespace {

// Eight tables, so that eight bytes are taken at a time ("slicing by eight"), for a reflected
// polynomial of up to 64 bits.
template <uint64_t polynomial>
constexpr std::array<std::array<uint64_t, 256>, 8> make_tables() {
  std::array<std::array<uint64_t, 256>, 8> tables{};
  for (uint64_t i = 0; i < 256; ++i) {
    uint64_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? (value >> 1) ^ polynomial : value >> 1;
    tables[0][i] = value;
  }
  for (size_t t = 1; t < 8; ++t) {
    for (size_t i = 0; i < 256; ++i)
      tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 255];
  }
  return tables;
}

template <uint64_t polynomial>
uint64_t crc(std::string_view bytes, uint64_t value) {
  static constexpr auto tables = make_tables<polynomial>();
  while (bytes.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
    word ^= value;
    value = 0;
    for (size_t i = 0; i < 8; ++i) value ^= tables[7 - i][(word >> (8 * i)) & 255];
    bytes.remove_prefix(8);
  }
  for (char c : bytes)
    value = (value >> 8) ^ tables[0][(value ^ static_cast<unsigned char>(c)) & 255];
  return value;
}

constexpr uint64_t crc32_polynomial = 0xEDB88320ULL;
constexpr uint64_t crc64nvme_polynomial = 0x9A6C9329AC4BC9B5ULL;

}  // namespace

std::string_view header_of(ChecksumKind kind) {
  switch (kind) {
    case ChecksumKind::crc32:
      return "x-amz-checksum-crc32";
    case ChecksumKind::crc32c:
      return "x-amz-checksum-crc32c";
    case ChecksumKind::crc64nvme:
      return "x-amz-checksum-crc64nvme";
    case ChecksumKind::sha1:
      return "x-amz-checksum-sha1";
    case ChecksumKind::sha256:
      return "x-amz-checksum-sha256";
  }
  return {};
}

std::string checksum_element(std::string_view header) {
  if (header == "x-amz-checksum-type") return "ChecksumType";
  auto kind = checksum_of_header(header);
  if (!kind) return {};
  std::string element = "Checksum";
  for (char c : header.substr(header.rfind('-') + 1))
    element += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return element;
}

std::optional<ChecksumKind> checksum_of_header(std::string_view name) {
  for (ChecksumKind kind : checksum_kinds) {
    if (equal_without_case(header_of(kind), name)) return kind;
  }
  return std::nullopt;
}

uint32_t crc32(std::string_view bytes, uint32_t before) {
  return ~static_cast<uint32_t>(crc<crc32_polynomial>(bytes, static_cast<uint32_t>(~before)));
}

uint64_t crc64nvme(std::string_view bytes, uint64_t before) {
  return ~crc<crc64nvme_polynomial>(bytes, ~before);
}

Checksum::Checksum(ChecksumKind kind) : kind_(kind) {
  if (kind == ChecksumKind::sha1) digest_.emplace(Digest::Kind::sha1);
  if (kind == ChecksumKind::sha256) digest_.emplace(Digest::Kind::sha256);
}

void Checksum::add(std::string_view bytes) {
  if (digest_) {
    digest_->add(bytes);
  } else if (kind_ == ChecksumKind::crc32) {
    crc_ = crc32(bytes, static_cast<uint32_t>(crc_));
  } else if (kind_ == ChecksumKind::crc32c) {
    crc_ = crc32c(bytes, static_cast<uint32_t>(crc_));
  } else {
    crc_ = crc64nvme(bytes, crc_);
  }
}

std::string Checksum::base64() {
  if (digest_) return to_base64(digest_->finish());
  std::string raw;
  if (kind_ == ChecksumKind::crc64nvme) {
    append_be(raw, crc_);
  } else {
    append_be(raw, static_cast<uint32_t>(crc_));
  }
  return to_base64(raw);
}

}  // namespace pinpipe::s3
