// How a connection answers: bodies in memory, files, pieces, and answers to pipelined requests.
#include <algorithm>
#include <array>
#include <charconv>

#include "http/answer_head.h"
#include "http/connection.h"
#include "http/content_coding.h"

namespace pinpipe::http {
namespace {

constexpr size_t write_step_bytes = 1024 * 1024;  // the deadline moves on after each
constexpr uint64_t file_step_bytes = 4 * 1024 * 1024;

}  // namespace

// Writes a stream's pieces: as chunks, or as they are when the length is known or the close ends
// it.
class AnswerWriter final : public BodyWriter {
 public:
  AnswerWriter(io::Stream& stream, Millis timeout, bool chunked)
      : stream_(stream), timeout_(timeout), chunked_(chunked) {}

  io::Task<Status> write(std::string_view bytes) override {
    if (bytes.empty()) co_return Status{};
    written_ += bytes.size();
    stream_.set_deadline(io::after(timeout_));
    Status written = chunked_ ? co_await write_chunk(bytes) : co_await stream_.write(bytes);
    stream_.set_deadline(io::never);  // until the next piece: that may take its time
    co_return written;
  }

  uint64_t written() const { return written_; }

 private:
  io::Task<Status> write_chunk(std::string_view bytes) {
    std::array<char, 20> size;
    auto end = std::to_chars(size.data(), size.data() + 16, bytes.size(), 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    std::string_view head(size.data(), static_cast<size_t>(end - size.data()));
    std::array<std::string_view, 3> pieces = {head, bytes, "\r\n"};
    co_return co_await stream_.write(pieces);
  }

  io::Stream& stream_;
  Millis timeout_;
  bool chunked_;
  uint64_t written_ = 0;
};

void Connection::begin_handler() {
  if (!collected_.empty()) watch_collected();
  in_handler_ = true;
}

// True when the answer is on its way, or is collected with those before it. Otherwise answer() goes
// on where this has stopped.
bool Connection::answer_now() {
  if (has_unread_body() &&
      (awaits_continue_ || is_refused_ || parser_.framing().kind == Framing::Kind::chunked ||
       body_left_ > unread_bytes_max)) {
    keeps_alive_ = false;
  }
  if (response_.headers.lists("Connection", "close")) keeps_alive_ = false;
  if (response_.stream || response_.file) return false;
  append_body_head();
  bool is_small = collected_.size() + response_.body.size() <= collected_bytes_max;
  if (!is_small || writes_early()) return false;
  collected_ += response_.body;
  response_.body.clear();
  bool more_to_come = keeps_alive_ && !input_.empty();
  if (more_to_come) return true;
  size_t sent = stream_.write_now(collected_);
  collected_.erase(0, sent);
  return collected_.empty();
}

io::Task<Status> Connection::answer() {
  if (response_.stream) return answer_with_stream();
  if (response_.file) return answer_with_file();
  return answer_with_body();
}

// The head of an answer whose body is in memory, and what is to be sent of that body.
void Connection::append_body_head() {
  bool head_only = request_.method == "HEAD";
  AnswerFraming framing{.keeps_alive = keeps_alive_, .is_http_1_0 = parser_.is_http_1_0()};
  if (may_have_body(response_.status)) {
    compress_body(request_, response_);
    framing.length = response_.body.size();
    if (head_only && response_.body.empty()) {
      if (auto announced = announced_length(response_)) framing.length = announced;
    }
  } else {
    response_.body.clear();
  }
  append_answer_head(collected_, response_, framing);
  if (head_only) response_.body.clear();
}

io::Task<Status> Connection::answer_with_body() {
  Status written = co_await write(collected_, response_.body);
  collected_.clear();
  co_return written;
}

io::Task<Status> Connection::answer_with_file() {
  FileBody file = std::move(*response_.file);
  AnswerFraming framing{
      .length = file.size, .keeps_alive = keeps_alive_, .is_http_1_0 = parser_.is_http_1_0()};
  append_answer_head(collected_, response_, framing);
  if (Status flushed = co_await flush(); !flushed) co_return flushed;
  if (request_.method == "HEAD") co_return Status{};
  while (file.size > 0) {
    uint64_t step = std::min(file.size, file_step_bytes);
    stream_.set_deadline(io::after(options_.write_timeout));
    Status sent = co_await stream_.send_file(file.descriptor, file.offset, step);
    if (!sent) co_return sent;
    file.offset += step;
    file.size -= step;
  }
  co_return Status{};
}

io::Task<Status> Connection::answer_with_stream() {
  auto announced = announced_length(response_);
  bool chunked = !announced && !parser_.is_http_1_0();
  if (!announced && !chunked) keeps_alive_ = false;
  AnswerFraming framing{.length = announced,
                        .chunked = chunked,
                        .keeps_alive = keeps_alive_,
                        .is_http_1_0 = parser_.is_http_1_0()};
  append_answer_head(collected_, response_, framing);
  if (Status flushed = co_await flush(); !flushed) co_return flushed;
  if (request_.method == "HEAD") co_return Status{};
  AnswerWriter writer(stream_, options_.write_timeout, chunked);
  end_with_peer();
  Status streamed = co_await response_.stream(writer);
  if (watch_) co_await stop_watching_peer();
  // An answer that stops short must look broken: the end mark would make it whole.
  if (!streamed) co_return streamed;
  if (announced && writer.written() != *announced)
    co_return Error(Code::internal, "a streamed answer does not have its announced length");
  stream_.set_deadline(io::after(options_.write_timeout));
  if (chunked) co_return co_await stream_.write(std::string_view("0\r\n\r\n"));
  co_return Status{};
}

io::Task<Status> Connection::flush() {
  if (!has_to_flush()) co_return Status{};
  Status written = co_await write(collected_, {});
  collected_.clear();
  co_return written;
}

io::Task<Status> Connection::write(std::string_view first, std::string_view second) {
  if (writes_early()) co_await early_->join();
  while (true) {
    std::array<std::string_view, 2> pieces = {first, second.substr(0, write_step_bytes)};
    stream_.set_deadline(io::after(options_.write_timeout));
    Status written = co_await stream_.write(pieces);
    if (!written) co_return written;
    second.remove_prefix(pieces[1].size());
    first = {};
    if (second.empty()) co_return Status{};
  }
}

// The posted look runs only when the loop has its turn: that is, when the handler waits. Handlers
// that answer at once leave their answers collected.
void Connection::watch_collected() {
  if (early_posted_) return;
  early_posted_ = true;
  if (!self_) self_ = std::make_shared<Connection*>(this);
  io::Loop::current().post([weak = std::weak_ptr(self_)] {
    if (auto self = weak.lock()) (*self)->write_collected_early();
  });
}

void Connection::write_collected_early() {
  early_posted_ = false;
  if (!in_handler_ || collected_.empty() || writes_early()) return;
  early_bytes_.swap(collected_);
  if (!early_) early_.emplace(io::Loop::current());
  early_->spawn("http early answers", write_early());
}

io::Task<> Connection::write_early() {
  stream_.set_deadline(io::after(options_.write_timeout));
  // A failure meets the connection's next write as well.
  (void)co_await stream_.write(early_bytes_);
  early_bytes_.clear();
}

}  // namespace pinpipe::http
