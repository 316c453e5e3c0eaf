// One connection of an HTTP server, from its first byte to its last.
// Request and answer are reused for all requests of the connection. Answers to pipelined requests
// are collected and written together; what is collected never waits for a handler that waits.
// Bounds: Input::bytes_max, collected_bytes_max of collected answers, body_bytes_kept of
// a body's buffer between requests; the rest is the server's options.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/http1_parser.h"
#include "http/message.h"
#include "http/serving.h"
#include "io/scope.h"
#include "io/stream.h"

namespace pinpipe::http {

// Bytes that came and were not looked at yet.
class Input {
 public:
  static constexpr size_t bytes_first = 2 * 1024;  // what an idle connection costs
  static constexpr size_t bytes_max = 16 * 1024;   // for peers that send much at once

  std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  void consume(size_t count) { begin_ += count; }
  // Room for a read. Only when all that came has been consumed.
  std::span<char> room();
  void filled(size_t count) { end_ = count; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

class Connection final : public BodyReader, public PeerWatch {
 public:
  static constexpr size_t collected_bytes_max = 64 * 1024;
  static constexpr size_t body_bytes_kept = 64 * 1024;
  static constexpr size_t body_step_bytes = 64 * 1024;
  static constexpr size_t unread_bytes_max = 1024 * 1024;  // read and dropped before a close
  static constexpr Millis linger{2'000};

  Connection(io::Stream& stream, const Serving& serving);

  // Until the connection ends, or its first bytes turn out to be those of HTTP/2.
  io::Task<> run();
  bool found_http2() const { return found_http2_; }
  std::string bytes_for_http2() const;  // all that came

  // The request's body, for handlers that asked for it piece by piece.
  io::Task<Result<size_t>> read_some(std::span<char> into) override;
  void end_with_peer() override;

 private:
  enum class Head { partial, complete, refused, http2, ended };

  // Reading. False or a failed Status: the connection cannot go on and nothing is to be said.
  Head take_head();
  void expect_head();
  Head take_read(const Result<size_t>& got);
  bool admit();
  bool begin_body();
  bool has_unread_body() const;
  bool take_body_at_hand();
  void decode_body();
  io::Task<Status> collect_body();
  io::Task<Status> collect_sized();
  io::Task<Status> collect_chunked();
  io::Task<Status> say_continue();
  io::Task<Status> receive(Millis timeout);
  io::Task<Result<size_t>> read_sized_into(std::span<char> into);
  io::Task<bool> drop_unread_body();
  void refuse_for(const Error& error);
  io::Task<> linger_for_peer();

  // Answering. What needs no wait is done without one: a coroutine costs more than most answers.
  void begin_handler();
  bool answer_now();
  void refuse(int status, std::string_view why);
  io::Task<Status> answer();
  io::Task<Status> answer_with_body();
  void append_body_head();
  io::Task<Status> answer_with_file();
  io::Task<Status> answer_with_stream();
  void start_next();
  bool has_to_flush() const { return !collected_.empty() || writes_early(); }
  bool writes_early() const { return early_ && early_->size() > 0; }
  io::Task<Status> flush();
  io::Task<Status> write(std::string_view first, std::string_view second);

  // Looking out for the peer's end while a handler waits.
  io::Task<> watch_peer();
  io::Task<> stop_watching_peer();

  // Writing what is collected while a handler waits.
  void watch_collected();
  void write_collected_early();
  io::Task<> write_early();

  io::Stream& stream_;
  const Server::Options& options_;
  const Serving& serving_;
  RequestMetrics::Span span_;
  HeadParser parser_;
  ChunkedDecoder chunks_;
  Input input_;
  Request request_;
  Response response_;
  BodyPlan plan_;
  io::Instant idle_since_ = io::now();
  uint64_t body_left_ = 0;  // not read yet, of a body with a length
  uint64_t body_seen_ = 0;  // of a chunked body
  bool is_refused_ = false;
  bool keeps_alive_ = true;
  bool awaits_continue_ = false;
  std::string collected_;  // answers not written yet

  std::shared_ptr<Connection*> self_;  // gone when the connection ends
  std::optional<io::Scope> early_;
  std::string early_bytes_;
  bool early_posted_ = false;
  bool in_handler_ = false;
  bool is_fresh_ = true;  // no request came yet
  bool found_http2_ = false;
  std::optional<io::Scope> watch_;
};

}  // namespace pinpipe::http
