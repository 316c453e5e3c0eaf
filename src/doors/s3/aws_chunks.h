// Takes the aws-chunked framing off a body, in whatever pieces it comes:
//   hex-size[;chunk-signature=…]\r\n data \r\n … 0[;chunk-signature=…]\r\n [name:value\r\n]… \r\n
// Promise: what is not this framing is refused, and a signed chunk's bytes come out only when its
// signature is right.
// Bounds: lines of line_bytes_max, trailers_max lines, signed chunks of signed_chunk_bytes_max.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/sigv4.h"
#include "base/result.h"

namespace pinpipe::s3 {

class AwsChunks {
 public:
  static constexpr size_t line_bytes_max = 8 * 1024;
  static constexpr size_t trailers_max = 16;
  static constexpr uint64_t signed_chunk_bytes_max = 16 << 20;

  // With `signatures`, every chunk and the trailer have to carry theirs.
  explicit AwsChunks(std::optional<auth::ChunkSignatures> signatures, bool has_trailer)
      : signatures_(std::move(signatures)), has_trailer_(has_trailer) {}

  // Appends what `piece` holds of the object's bytes to `out`. `denied` for a wrong signature.
  Status feed(std::string_view piece, std::string& out);
  bool is_complete() const { return state_ == State::done; }
  // Names in lower case.
  const std::vector<std::pair<std::string, std::string>>& trailers() const { return trailers_; }

 private:
  enum class State { size_line, data, data_end, trailer_line, done };

  Status take_line(std::string& out);
  Status take_size_line(std::string_view line, std::string& out);
  Status take_trailer_line(std::string_view line);
  Status end_chunk(std::string& out);
  Status end_trailer();

  std::optional<auth::ChunkSignatures> signatures_;
  bool has_trailer_;
  State state_ = State::size_line;
  std::string line_;
  std::string signature_;
  std::string held_;  // a signed chunk until its signature is checked
  uint64_t left_ = 0;
  std::string trailer_lines_;
  std::vector<std::pair<std::string, std::string>> trailers_;
};

}  // namespace pinpipe::s3
