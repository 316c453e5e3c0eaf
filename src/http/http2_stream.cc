#include "http/http2_stream.h"

#include <algorithm>
#include <cstring>
#include <nghttp2/nghttp2.h>
#include <unistd.h>
#include <utility>

#include "base/ascii.h"
#include "base/clock.h"
#include "http/admission.h"
#include "http/answer_head.h"
#include "http/http1_parser.h"
#include "http/http2_connection.h"

namespace pinpipe::http {
namespace {

constexpr size_t line_overhead_bytes = 32;  // what the protocol counts a header line for

// Of the connection, not of the message, or ours to write.
bool is_left_out(std::string_view name) {
  for (std::string_view one : {"connection", "keep-alive", "proxy-connection", "transfer-encoding",
                               "upgrade", "content-length", "date"}) {
    if (name == one) return true;
  }
  return false;
}

Http2Connection::Lines lines_of(const Response& response, std::optional<uint64_t> length) {
  Http2Connection::Lines lines;
  lines.emplace_back(":status", std::to_string(response.status));
  lines.emplace_back("date", http_date(system_clock().wall_ms()));
  for (const auto& [name, value] : response.headers.lines()) {
    std::string low, clean;
    append_clean(low, name);
    low = lowered(low);
    if (low.empty() || is_left_out(low)) continue;
    append_clean(clean, value);
    lines.emplace_back(std::move(low), std::move(clean));
  }
  if (length) lines.emplace_back("content-length", std::to_string(*length));
  return lines;
}

bool is_path(std::string_view target) {
  if (!target.starts_with('/') && target != "*") return false;
  return std::ranges::all_of(
      target, [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f; });
}

}  // namespace

Http2Stream::Http2Stream(Http2Connection& connection, int32_t id)
    : connection_(connection),
      options_(connection.serving().options),
      id_(id),
      scope_(io::Loop::current()),
      span_(connection.serving().metrics) {
  request_.peer = connection.below().peer();
  request_.by_local_socket = connection.below().is_local_socket();
  request_.secure = connection.below().is_secure();
  request_.peer_watch = this;
}

Http2Stream::~Http2Stream() {
  connection_.give_connection_window(arrived_.size() - arrived_read_);
}

bool Http2Stream::take_header(std::string_view name, std::string_view value) {
  head_bytes_ += name.size() + value.size() + line_overhead_bytes;
  if (head_bytes_ > options_.head_bytes_max) {
    if (!is_refused_) refuse(431, "The request's head is too long.");
    return head_bytes_ <= 4 * options_.head_bytes_max;
  }
  if (name == ":method") {
    request_.method = value;
  } else if (name == ":path") {
    request_.target = value;
  } else if (name == ":authority") {
    request_.headers.set("Host", value);
  } else if (name.starts_with(':') || (name == "host" && request_.headers.has("Host"))) {
    return true;
  } else if (name == "cookie" && request_.headers.has("cookie")) {
    // One header, cut for the way only.
    std::string all(*request_.headers.find("cookie"));
    request_.headers.set("cookie", all.append("; ").append(value));
  } else if (request_.headers.size() == HeadParser::header_lines_max) {
    if (!is_refused_) refuse(431, "Too many header lines.");
  } else {
    request_.headers.add(name, value);
  }
  return true;
}

void Http2Stream::refuse(int status, std::string_view why) {
  is_refused_ = true;
  response_.clear();
  response_.set_text(status, std::string(why) + "\n");
  if (options_.shape_refusal) options_.shape_refusal(request_, response_);
}

// Looks at a whole head: may it come in, and what is its body?
void Http2Stream::admit() {
  if (!is_path(request_.target)) return refuse(400, "The target is not a path.");
  if (!request_.headers.has("Host")) return refuse(400, "A request needs an :authority.");
  if (!request_.by_local_socket) {
    auto why = refusal_of_origin(request_, options_.hosts, options_.check_origin);
    if (!why.empty()) return refuse(403, why);
  }
  if (body_ended_) return;
  if (auto expect = request_.headers.find("Expect")) {
    if (!equal_without_case(*expect, "100-continue"))
      return refuse(417, "The only expectation understood is 100-continue.");
    awaits_continue_ = true;
  }
  plan_ = options_.plan_body ? options_.plan_body(request_)
                             : BodyPlan{.bytes_max = options_.body_bytes_max};
  Response announced;
  if (auto length = request_.headers.find("Content-Length")) {
    announced.headers.set("Content-Length", *length);
    if (announced_length(announced).value_or(0) > plan_.bytes_max)
      return refuse(413, "The request's body is too large.");
  }
  if (plan_.stream) request_.body_reader = this;
}

void Http2Stream::begin(bool body_ended) {
  has_begun_ = true;
  body_ended_ = body_ended;
  span_.begin();
  if (!is_refused_) admit();
  scope_.spawn("http2 stream", serve());
}

void Http2Stream::take_body(std::string_view bytes) {
  body_bytes_ += bytes.size();
  if (is_refused_ || is_answered_) return connection_.give_window(id_, bytes.size());
  if (plan_.stream) {
    arrived_ += bytes;  // the window bounds it: it opens again as the handler reads
    return changed_.notify_all();
  }
  if (body_bytes_ > plan_.bytes_max) {
    refuse(413, "The request's body is too large.");
    drop_body();
    connection_.give_window(id_, bytes.size());
    return changed_.notify_all();
  }
  request_.body += bytes;
  collected_bytes_ += bytes.size();
  connection_.count_collected(bytes.size());
  withheld_bytes_ += bytes.size();
  connection_.give_connection_window(bytes.size());
  if (connection_.may_collect(*this)) open_withheld_window();
  if (body_bytes_ % body_step_bytes < bytes.size()) changed_.notify_all();
}

void Http2Stream::open_withheld_window() {
  if (withheld_bytes_ == 0) return;
  connection_.give_stream_window(id_, std::exchange(withheld_bytes_, 0));
}

// What was collected, in vain or not, makes room for other streams as soon as it is gone.
void Http2Stream::drop_body() {
  connection_.uncount_collected(std::exchange(collected_bytes_, 0));
  std::string().swap(request_.body);
}

void Http2Stream::end_body() {
  body_ended_ = true;
  changed_.notify_all();
  connection_.uncount_collected(0);  // the next oldest may go on
}

void Http2Stream::close() {
  is_closed_ = true;
  changed_.notify_all();
  if (ends_with_peer_) scope_.cancel();
}

void Http2Stream::end_with_peer() {
  ends_with_peer_ = true;
  if (is_closed_) scope_.cancel();
}

void Http2Stream::say_continue() {
  if (awaits_continue_ && body_bytes_ == 0) connection_.send_continue(id_);
  awaits_continue_ = false;
}

io::Task<> Http2Stream::serve() {
  if (!is_refused_ && !body_ended_ && !plan_.stream) co_await collect_body();
  if (!is_refused_ && !is_closed_ && !plan_.stream && plan_.decode && !request_.body.empty()) {
    auto refusal = undo_encoding(request_, static_cast<size_t>(plan_.bytes_max));
    if (refusal) refuse(refusal->status, refusal->why);
  }
  if (!is_closed_) {
    if (!is_refused_) co_await connection_.serving().handler(request_, response_);
    if (!is_closed_) co_await answer();
  }
  span_.end(request_.operation, request_.method, is_answered_ ? response_.status : 0);
  connection_.finished(*this);
}

io::Task<> Http2Stream::collect_body() {
  say_continue();
  while (true) {
    uint64_t seen = changed_.version();
    if (body_ended_ || is_refused_ || is_closed_) co_return;
    Status waited = co_await changed_.wait_beyond(seen, io::after(options_.body_timeout));
    if (waited) continue;
    if (waited.error().code() == Code::cancelled) is_closed_ = true;
    if (waited.error().code() == Code::timeout)
      refuse(408, "The request's body took too long to come.");
  }
}

io::Task<Result<size_t>> Http2Stream::read_some(std::span<char> into) {
  say_continue();
  while (true) {
    uint64_t seen = changed_.version();
    if (body_bytes_ > plan_.bytes_max) co_return Error(Code::invalid, "the body is too large");
    size_t count = std::min(into.size(), arrived_.size() - arrived_read_);
    if (count > 0) {
      std::memcpy(into.data(), arrived_.data() + arrived_read_, count);
      arrived_read_ += count;
      if (arrived_read_ == arrived_.size()) {
        arrived_.clear();
        arrived_read_ = 0;
      }
      connection_.give_window(id_, count);
      co_return count;
    }
    if (body_ended_ || into.empty()) co_return 0;
    if (is_closed_) co_return Error(Code::unavailable, "the peer gave the request up");
    Status waited = co_await changed_.wait_beyond(seen, io::after(options_.body_timeout));
    if (!waited) co_return waited.error();
  }
}

void Http2Stream::send_head(bool has_body) {
  std::optional<uint64_t> length;
  if (source_ == Source::pieces) {
    length = announced_length(response_);
  } else if (source_ == Source::file) {
    length = response_.file->size;
  } else if (may_have_body(response_.status)) {
    length = response_.body.size();
    if (request_.method == "HEAD" && response_.body.empty())
      length = announced_length(response_).value_or(0);
  }
  is_answered_ = true;
  connection_.send_head(*this, lines_of(response_, length), has_body);
}

io::Task<> Http2Stream::answer() {
  if (!may_have_body(response_.status)) response_.body.clear();
  source_ = response_.stream ? Source::pieces : response_.file ? Source::file : Source::body;
  if (source_ == Source::body) compress_body(request_, response_);
  bool has_body = source_ == Source::pieces ||
                  (source_ == Source::file ? response_.file->size > 0 : !response_.body.empty());
  if (request_.method == "HEAD") has_body = false;
  send_head(has_body);
  if (has_body && source_ == Source::pieces) {
    co_await answer_in_pieces();
  } else {
    co_await wait_until_sent();
  }
}

io::Task<> Http2Stream::answer_in_pieces() {
  end_with_peer();
  auto announced = announced_length(response_);
  Status streamed = co_await response_.stream(*this);
  if (streamed && announced && sent_bytes_ != *announced)
    streamed = Error(Code::internal, "a streamed answer does not have its announced length");
  // An answer that stops short must look broken: an end would make it whole.
  if (!streamed) {
    if (!is_closed_) connection_.reset(id_, NGHTTP2_INTERNAL_ERROR);
    co_return;
  }
  pieces_ended_ = true;
  if (!is_closed_) connection_.resume(id_);
  co_await wait_until_sent();
}

// Until the peer has it all; one that takes nothing for long is given up.
io::Task<> Http2Stream::wait_until_sent() {
  uint64_t sent_before = sent_bytes_;
  while (true) {
    uint64_t seen = changed_.version();
    if (is_closed_) co_return;
    Status waited = co_await changed_.wait_beyond(seen, io::after(options_.write_timeout));
    if (waited) continue;
    bool stalled = waited.error().code() == Code::timeout && sent_bytes_ == sent_before;
    if (stalled && !is_closed_) connection_.reset(id_, NGHTTP2_CANCEL);
    if (stalled || waited.error().code() == Code::cancelled) co_return;
    sent_before = sent_bytes_;
  }
}

io::Task<Status> Http2Stream::write(std::string_view bytes) {
  if (bytes.empty()) co_return Status{};
  piece_ = bytes;
  uint64_t sent_before = sent_bytes_;
  if (!is_closed_) connection_.resume(id_);
  Status outcome;
  while (outcome) {
    uint64_t seen = changed_.version();
    if (piece_.empty()) co_return Status{};
    if (is_closed_) {
      outcome = Error(Code::unavailable, "the peer gave the answer up");
      break;
    }
    outcome = co_await changed_.wait_beyond(seen, io::after(options_.write_timeout));
    if (!outcome && outcome.error().code() == Code::timeout && sent_bytes_ != sent_before) {
      sent_before = sent_bytes_;
      outcome = {};
    }
  }
  piece_ = {};  // it is the caller's again
  co_return outcome;
}

ssize_t Http2Stream::fill(char* into, size_t room, uint32_t* flags) {
  size_t count = 0;
  if (source_ == Source::pieces) {
    if (piece_.empty() && !pieces_ended_) return NGHTTP2_ERR_DEFERRED;
    count = piece_.copy(into, room);
    piece_.remove_prefix(count);
    if (piece_.empty() && count > 0) changed_.notify_all();
    if (piece_.empty() && pieces_ended_) *flags |= NGHTTP2_DATA_FLAG_EOF;
  } else if (source_ == Source::file) {
    FileBody& file = *response_.file;
    ssize_t got = ::pread(file.descriptor, into, std::min<uint64_t>(room, file.size),
                          static_cast<off_t>(file.offset));
    if (got <= 0) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    count = static_cast<size_t>(got);
    file.offset += count;
    file.size -= count;
    if (file.size == 0) *flags |= NGHTTP2_DATA_FLAG_EOF;
  } else {
    count = response_.body.copy(into, room, sent_of_body_);
    sent_of_body_ += count;
    if (sent_of_body_ == response_.body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  }
  sent_bytes_ += count;
  return static_cast<ssize_t>(count);
}

}  // namespace pinpipe::http
