#include "doors/s3/aws_chunks.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "base/hash.h"

namespace pinpipe::s3 {
namespace {

Error broken(std::string_view why) {
  return {Code::invalid, "the body is not aws-chunked: " + std::string(why)};
}

}  // namespace

Status AwsChunks::feed(std::string_view piece, std::string& out) {
  while (!piece.empty()) {
    if (state_ == State::done) return broken("bytes after its end");
    if (state_ == State::data) {
      size_t count = std::min<uint64_t>(left_, piece.size());
      (signatures_ ? held_ : out).append(piece.substr(0, count));
      piece.remove_prefix(count);
      left_ -= count;
      if (left_ == 0) state_ = State::data_end;
      continue;
    }
    size_t end = piece.find('\n');
    size_t count = end == std::string_view::npos ? piece.size() : end + 1;
    if (line_.size() + count > line_bytes_max) return broken("a line is too long");
    line_.append(piece.substr(0, count));
    piece.remove_prefix(count);
    if (end == std::string_view::npos) continue;
    if (Status taken = take_line(out); !taken) return taken;
  }
  return {};
}

Status AwsChunks::take_line(std::string& out) {
  if (!line_.ends_with("\r\n")) return broken("a line does not end with CR LF");
  std::string line = std::move(line_);
  line_.clear();
  line.resize(line.size() - 2);
  if (state_ == State::size_line) return take_size_line(line, out);
  if (state_ == State::trailer_line) return take_trailer_line(line);
  if (!line.empty()) return broken("a chunk is longer than its size");
  return end_chunk(out);
}

Status AwsChunks::take_size_line(std::string_view line, std::string& out) {
  auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
  if (error != std::errc()) return broken("a chunk has no size");
  std::string_view rest(end, line.data() + line.size());
  constexpr std::string_view extension = ";chunk-signature=";
  if (rest.starts_with(extension)) {
    signature_ = trimmed(rest.substr(extension.size()));
  } else if (!rest.empty() || signatures_) {
    return broken("a chunk's size line has no signature or something else");
  }
  if (signatures_ && left_ > signed_chunk_bytes_max) return broken("a signed chunk is too long");
  if (left_ > 0) {
    state_ = State::data;
    return {};
  }
  if (Status ended = end_chunk(out); !ended) return ended;
  state_ = State::trailer_line;
  return {};
}

Status AwsChunks::end_chunk(std::string& out) {
  state_ = State::size_line;
  if (!signatures_) return {};
  if (!equal_constant_time(signatures_->next(held_), signature_))
    return Error(Code::denied, "a chunk's signature does not match its bytes");
  out += held_;
  held_.clear();
  return {};
}

Status AwsChunks::take_trailer_line(std::string_view line) {
  if (line.empty()) return end_trailer();
  size_t colon = line.find(':');
  if (colon == std::string_view::npos || trailers_.size() == trailers_max)
    return broken("a trailer is no name:value, or there are too many");
  std::string name = lowered(trimmed(line.substr(0, colon)));
  std::string value(trimmed(line.substr(colon + 1)));
  if (name == "x-amz-trailer-signature") {
    signature_ = std::move(value);
    return {};
  }
  trailer_lines_ += name + ":" + value + "\n";
  trailers_.emplace_back(std::move(name), std::move(value));
  return {};
}

Status AwsChunks::end_trailer() {
  state_ = State::done;
  if (!signatures_ || !has_trailer_) return {};
  if (!equal_constant_time(signatures_->trailer(trailer_lines_), signature_))
    return Error(Code::denied, "the trailer's signature does not match");
  return {};
}

}  // namespace pinpipe::s3
