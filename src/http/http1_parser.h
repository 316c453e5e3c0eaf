// The HTTP/1 wire format: heads of requests and answers (by the http_parser library, which nobody
// else sees) and the framing of bodies (ours, strict).
// Bounds: header_lines_max lines; the caller counts the head's bytes and the body's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace pinpipe::http {

// Where a body ends.
struct Framing {
  enum class Kind { none, length, chunked, until_close };
  Kind kind = Kind::none;
  uint64_t length = 0;  // when kind is length
};

// Reads one head after the other from one direction of a connection, whatever pieces it comes in.
class HeadParser {
 public:
  static constexpr size_t header_lines_max = 200;

  HeadParser();
  ~HeadParser();
  HeadParser(const HeadParser&) = delete;

  // The next head goes into `request` or `response`, which have been cleared.
  void begin(Request& request);
  void begin(Response& response);

  enum class State { partial, complete, refused };
  struct Progress {
    State state = State::partial;
    size_t consumed = 0;
    int status = 0;          // when refused: what to answer
    std::string_view why{};  // when refused: a sentence
  };
  Progress feed(std::string_view bytes);

  size_t bytes_seen() const;  // of this head

  // About the complete head:
  bool keeps_alive() const;
  bool is_http_1_0() const;
  int status() const;  // of an answer
  const Framing& framing() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Undoes the chunked transfer coding. Refuses whatever is not exactly that; extensions are skipped,
// trailers are read and dropped.
// Bounds: line_bytes_max for a size line, trailer_bytes_max for all trailers.
class ChunkedDecoder {
 public:
  static constexpr size_t line_bytes_max = 1024;
  static constexpr size_t trailer_bytes_max = 16 * 1024;

  // Takes from `in` what it can and gives decoded bytes into `out`. Stops at the end of `in`, when
  // `out` is full, or when the body is complete.
  struct Step {
    size_t consumed = 0;
    size_t produced = 0;
  };
  Result<Step> decode(std::string_view in, std::span<char> out);
  bool done() const { return state_ == State::done; }
  void reset() { *this = ChunkedDecoder(); }

 private:
  enum class State { size, extension, size_lf, data, data_cr, data_lf, trailer, trailer_lf, done };

  Status take_control(char c);

  State state_ = State::size;
  uint64_t left_ = 0;
  size_t line_bytes_ = 0;
  size_t digits_ = 0;
  size_t trailer_bytes_ = 0;
};

}  // namespace pinpipe::http
