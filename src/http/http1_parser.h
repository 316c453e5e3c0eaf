// The HTTP/1 wire format: heads of requests and answers, and the framing of bodies.
// Promise: what two readers could take differently is refused: bare line ends, folded lines, blanks
// before a colon, a second or malformed length, control characters.
// Bounds: header_lines_max lines; a head that comes in pieces is kept until it is whole, and the
// caller ends that by bytes_seen(); the caller counts the body's bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
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

  size_t bytes_seen() const { return bytes_seen_; }  // of this head

  // About the complete head:
  bool keeps_alive() const {
    if (framing_.kind == Framing::Kind::until_close || says_close_) return false;
    return !is_http_1_0_ || says_keep_alive_;
  }
  bool is_http_1_0() const { return is_http_1_0_; }
  bool has_host() const { return host_lines_ > 0; }
  int status() const { return status_; }  // of an answer
  // A refused head that is the first line of HTTP/2's connection preface, exactly.
  bool is_http2_preface() const { return is_http2_line_ && bytes_seen_ == 18; }
  const Framing& framing() const { return framing_; }

 private:
  struct Refusal {
    int status;
    std::string_view why;
  };

  void start();
  Progress take_whole(std::string_view head, size_t consumed);
  Refusal read_lines(std::string_view head);
  Refusal read_request_line(std::string_view line);
  Refusal read_status_line(std::string_view line);
  Refusal read_version(std::string_view text);
  Refusal read_header_line(std::string_view line);
  Refusal note_length(std::string_view value);
  Refusal note_connection(std::string_view value);
  Refusal frame_request();
  void frame_response();

  Request* request_ = nullptr;
  Headers* headers_ = nullptr;
  std::string partial_;   // of a head that comes in pieces
  bool is_plain_ = true;  // no line of the head has a character that is looked for one by one
  size_t bytes_seen_ = 0;
  Framing framing_;
  std::optional<uint64_t> length_;
  std::string_view coding_;  // of the transfer
  size_t coding_lines_ = 0;
  size_t host_lines_ = 0;
  int status_ = 0;
  bool is_http_1_0_ = false;
  bool is_http2_line_ = false;
  bool says_close_ = false;
  bool says_keep_alive_ = false;
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
