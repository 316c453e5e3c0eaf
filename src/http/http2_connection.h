// One HTTP/2 connection of a server: frames in and out by nghttp2, one task per stream.
// Promise: handlers see the same Request and Response as over HTTP/1; a slow reader, a slow writer
// and a peer that resets, pings or sets without end cost what is named here and no more.
// Bounds: Options::streams_max streams at once and twice as many handlers, those of streams that
// were reset included; connection_window_bytes of streamed bodies that no handler has read yet;
// Options::body_bytes_max of collected bodies together, beyond which the oldest alone goes on and
// the others get no more than a window each until there is room; output_bytes_max of frames.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/serving.h"
#include "io/scope.h"
#include "io/stream.h"
#include "io/wake.h"

struct nghttp2_session;

namespace pinpipe::http {

class Http2Stream;

// So many at once, and again so many a second.
class Allowance {
 public:
  Allowance(double at_once, double per_second)
      : left_(at_once), at_once_(at_once), per_second_(per_second) {}
  bool take();

 private:
  double left_, at_once_, per_second_;
  io::Instant filled_ = std::chrono::steady_clock::now();
};

class Http2Connection {
 public:
  static constexpr uint32_t stream_window_bytes = 256 * 1024;
  static constexpr int32_t connection_window_bytes = 1024 * 1024;
  static constexpr size_t output_bytes_max = 64 * 1024;
  // What costs the peer little and us something: streams that are reset before they are answered,
  // and frames that carry nothing. Beyond it the connection ends with ENHANCE_YOUR_CALM.
  static constexpr double resets_at_once = 200, resets_per_second = 50;
  static constexpr double idle_frames_at_once = 1'000, idle_frames_per_second = 500;
  static constexpr Millis farewell{1'000};  // for the last frames

  using Lines = std::vector<std::pair<std::string, std::string>>;

  Http2Connection(io::Stream& stream, const Serving& serving);
  ~Http2Connection();
  Http2Connection(const Http2Connection&) = delete;

  // Until the connection ends. `received`: what was read already, the connection preface first.
  io::Task<> run(std::string received);

  // For its streams.
  const Serving& serving() const { return serving_; }
  io::Stream& below() { return stream_; }
  // The peer may send that many more: on the stream and the connection, or on one of the two.
  void give_window(int32_t stream, size_t bytes);
  void give_stream_window(int32_t stream, size_t bytes);
  void give_connection_window(size_t bytes);
  void send_head(Http2Stream& stream, const Lines& lines, bool has_body);
  void send_continue(int32_t stream);
  void resume(int32_t stream);  // there are bytes to send again
  void reset(int32_t stream, uint32_t code);
  void finished(Http2Stream& stream);
  // Collected bodies: whether the stream may have more of its own, and what all hold together.
  bool may_collect(const Http2Stream& stream) const;
  void count_collected(size_t more) { collected_bytes_ += more; }
  void uncount_collected(size_t bytes);

 private:
  friend struct Http2Callbacks;

  void open_session();
  bool feed(std::string_view bytes);
  bool is_over() const;  // both sides have said and heard all
  Http2Stream* find(int32_t stream);
  bool begin_stream(int32_t stream);
  void end_stream(int32_t stream, uint32_t code);
  void count_idle_frame(const char* what);
  void calm(const char* what);
  io::Task<> read_all(std::string received);
  io::Task<> write_all();
  io::Task<> part_with_finished();
  void collect_output();
  void move_deadline();

  io::Stream& stream_;
  const Serving& serving_;
  nghttp2_session* session_ = nullptr;
  std::map<int32_t, std::unique_ptr<Http2Stream>> streams_;  // the oldest first
  std::vector<int32_t> finished_;
  io::Signal output_;  // the session has frames to send, or streams finished
  std::string writing_bytes_;
  io::Instant write_deadline_ = io::never;
  io::Instant head_deadline_ = io::never;  // a head has begun and is not whole
  io::Instant idle_deadline_ = io::never;  // there are no streams
  uint64_t collected_bytes_ = 0;
  Allowance resets_{resets_at_once, resets_per_second};
  Allowance idle_frames_{idle_frames_at_once, idle_frames_per_second};
  bool is_calmed_ = false;
  bool is_ending_ = false;
};

}  // namespace pinpipe::http
