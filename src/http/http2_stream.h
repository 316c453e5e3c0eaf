// One request of an HTTP/2 connection and its answer: a stream.
// Its frames come and go while the connection reads and writes; its task runs the handler.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

#include "http/content_coding.h"
#include "http/serving.h"
#include "io/scope.h"
#include "io/wake.h"

namespace pinpipe::http {

class Http2Connection;

class Http2Stream final : public BodyReader, public BodyWriter, public PeerWatch {
 public:
  static constexpr size_t body_step_bytes = 64 * 1024;  // the deadline moves on after each

  Http2Stream(Http2Connection& connection, int32_t id);
  ~Http2Stream() override;

  int32_t id() const { return id_; }
  io::Scope& scope() { return scope_; }
  bool has_begun() const { return has_begun_; }  // its task tells when it is finished
  bool is_closed() const { return is_closed_; }
  bool is_answered() const { return is_answered_; }
  bool has_whole_request() const { return body_ended_; }
  bool is_collecting() const {
    return has_begun_ && !plan_.stream && !body_ended_ && !is_refused_ && !is_closed_;
  }

  // What frames bring. False: the head is far too large, the stream is to be reset.
  bool take_header(std::string_view name, std::string_view value);
  void begin(bool body_ended);  // the head is whole
  void take_body(std::string_view bytes);
  void end_body();
  void open_withheld_window();  // there is room for its body again
  void close();                 // the stream or the connection is over
  void drop_body();

  // The answer's next bytes, for the session: how many, or one of its error codes.
  ssize_t fill(char* into, size_t room, uint32_t* flags);

  io::Task<Result<size_t>> read_some(std::span<char> into) override;
  io::Task<Status> write(std::string_view bytes) override;
  void end_with_peer() override;

 private:
  enum class Source { none, body, file, pieces };

  void admit();
  void refuse(int status, std::string_view why);
  io::Task<> serve();
  io::Task<> collect_body();
  void say_continue();
  io::Task<> answer();
  io::Task<> answer_in_pieces();
  void send_head(bool has_body);
  io::Task<> wait_until_sent();

  Http2Connection& connection_;
  const Server::Options& options_;
  int32_t id_;
  io::Scope scope_;
  io::Signal changed_;
  RequestMetrics::Span span_;
  Request request_;
  Response response_;
  BodyPlan plan_;
  size_t head_bytes_ = 0;
  std::string arrived_;  // of a streamed body, not read by the handler
  size_t arrived_read_ = 0;
  uint64_t body_bytes_ = 0;
  size_t collected_bytes_ = 0;
  size_t withheld_bytes_ = 0;  // of its window, for want of room
  bool has_begun_ = false;
  bool body_ended_ = false;
  bool is_refused_ = false;
  bool awaits_continue_ = false;
  bool ends_with_peer_ = false;
  bool is_closed_ = false;
  bool is_answered_ = false;

  Source source_ = Source::none;
  size_t sent_of_body_ = 0;
  std::string_view piece_;  // of an answer in pieces, lent by the handler that waits
  bool pieces_ended_ = false;
  uint64_t sent_bytes_ = 0;
};

}  // namespace pinpipe::http
