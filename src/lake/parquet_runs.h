// Parquet's two encodings of small integers: runs (RLE and bit-packed mixed) and packed deltas.
// Promise: nothing is read past the end; false when the bytes are malformed or too short for
// `count` values, never more values than that.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pinpipe::lake {

// How many bits the numbers 0..max take.
int bit_width(int max);

// Into `out`, which is emptied first. Of width 0 there is nothing to read, and nothing is put out.
bool read_runs(std::string_view bytes, int width, size_t count, std::vector<uint32_t>& out);

// DELTA_BINARY_PACKED; `consumed` is where the bytes behind it begin.
bool read_deltas(std::string_view bytes, size_t count, std::vector<int64_t>& out, size_t& consumed);

}  // namespace pinpipe::lake
