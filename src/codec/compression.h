// The codecs of Kafka's record batches, and gzip for HTTP, over whole buffers.
// Promise: decompress never gives more than bytes_max bytes and never allocates far beyond what it
// has read; input that would exceed it is `invalid`, damaged or truncated input is `corrupt`.
// Bounds: input and output are each in memory at once; compressed_bytes_max per input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pinpipe::codec {

// Numbered as in the attributes of a Kafka batch.
enum class Codec : uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

inline constexpr size_t compressed_bytes_max = size_t{1} << 30;

std::string_view name_of(Codec codec);
std::optional<Codec> codec_of(std::string_view name);

// snappy is written in the xerial framing that Kafka clients expect; lz4 and zstd as one frame.
Result<std::string> compress(Codec codec, std::string_view bytes);
// snappy is read raw or xerial; gzip and lz4 and zstd may be several members or frames in a row.
Result<std::string> decompress(Codec codec, std::string_view bytes, size_t bytes_max);

// Content-Encoding: deflate, which is the zlib format (RFC 1950).
Result<std::string> deflate_zlib(std::string_view bytes);
Result<std::string> inflate_zlib(std::string_view bytes, size_t bytes_max);

}  // namespace pinpipe::codec
