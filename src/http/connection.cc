#include "http/connection.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/ascii.h"
#include "base/check.h"
#include "http/admission.h"
#include "http/content_coding.h"

namespace pinpipe::http {

std::span<char> Input::room() {
  CHECK(empty(), "what came is consumed before more is read");
  bool was_full = end_ == capacity_;
  if (was_full && capacity_ < bytes_max) {
    capacity_ = std::clamp(capacity_ * 2, bytes_first, bytes_max);
    bytes_ = std::make_unique_for_overwrite<char[]>(capacity_);
  }
  begin_ = end_ = 0;
  return {bytes_.get(), capacity_};
}

Connection::Connection(io::Stream& stream, const Serving& serving)
    : stream_(stream), options_(serving.options), serving_(serving), span_(serving.metrics) {
  request_.peer = stream.peer();
  request_.by_local_socket = stream.is_local_socket();
  request_.secure = stream.is_secure();
  request_.peer_watch = this;
}

std::string Connection::bytes_for_http2() const {
  return "PRI * HTTP/2.0\r\n\r\n" + std::string(input_.view());
}

io::Task<> Connection::run() {
  while (keeps_alive_) {
    start_next();
    Head head = take_head();
    bool was_there = head != Head::partial;  // it came with the request before it
    if (!was_there) {
      if (has_to_flush() && !co_await flush()) break;
      expect_head();
      while (head == Head::partial) head = take_read(co_await stream_.read_some(input_.room()));
    }
    if (head == Head::http2) co_return;
    if (head == Head::ended) break;
    is_fresh_ = false;
    span_.begin(was_there ? idle_since_ : io::now());
    if (!is_refused_ && admit() && begin_body() && !co_await collect_body()) break;
    if (!is_refused_) {
      begin_handler();
      co_await serving_.handler(request_, response_);
      in_handler_ = false;
      if (watch_) co_await stop_watching_peer();
    }
    if (!answer_now() && !co_await answer()) break;
    idle_since_ = span_.end(request_.operation, request_.method, response_.status);
    if (keeps_alive_ && has_unread_body() && !co_await drop_unread_body()) break;
  }
  self_.reset();
  if (early_) {
    early_->cancel();
    co_await early_->join();
  }
  if (is_refused_ || has_unread_body()) co_await linger_for_peer();
  stream_.close();
}

void Connection::start_next() {
  request_.clear();
  response_.clear();
  if (request_.body.capacity() > body_bytes_kept) std::string().swap(request_.body);
  if (response_.body.capacity() > body_bytes_kept) std::string().swap(response_.body);
  parser_.begin(request_);
  body_left_ = body_seen_ = 0;
  is_refused_ = awaits_continue_ = false;
}

Connection::Head Connection::take_head() {
  if (input_.empty()) return Head::partial;
  HeadParser::Progress progress = parser_.feed(input_.view());
  input_.consume(progress.consumed);
  if (progress.state == HeadParser::State::refused) {
    found_http2_ = is_fresh_ && parser_.is_http2_preface();
    if (found_http2_) return Head::http2;
    refuse(progress.status, progress.why);
    return Head::refused;
  }
  if (parser_.bytes_seen() > options_.head_bytes_max) {
    bool by_target = request_.target.size() > options_.head_bytes_max / 2;
    refuse(by_target ? 414 : 431,
           by_target ? "The request's target is too long." : "The request's head is too long.");
    return Head::refused;
  }
  return progress.state == HeadParser::State::complete ? Head::complete : Head::partial;
}

void Connection::expect_head() {
  bool begun = parser_.bytes_seen() > 0;
  stream_.set_deadline(begun ? io::after(options_.head_timeout)
                             : idle_since_ + options_.idle_timeout);
  if (collected_.capacity() > Input::bytes_max) std::string().swap(collected_);
}

Connection::Head Connection::take_read(const Result<size_t>& got) {
  bool begun = parser_.bytes_seen() > 0;
  if (!got || *got == 0) {
    if (got || got.error().code() != Code::timeout || !begun) return Head::ended;
    refuse(408, "The request's head took too long to come.");
    return Head::refused;
  }
  input_.filled(*got);
  Head head = take_head();
  if (head == Head::partial && !begun) stream_.set_deadline(io::after(options_.head_timeout));
  return head;
}

// Looks at a complete head: may it come in, and what is its body?
bool Connection::admit() {
  keeps_alive_ = parser_.keeps_alive();
  const Headers& headers = request_.headers;
  if (!parser_.is_http_1_0() && !parser_.has_host()) {
    refuse(400, "An HTTP/1.1 request needs a Host header.");
    return false;
  }
  if (!request_.by_local_socket) {
    auto why = refusal_of_origin(request_, options_.hosts, options_.check_origin);
    if (!why.empty()) {
      refuse(403, why);
      return false;
    }
  }
  const Framing& framing = parser_.framing();
  if (framing.kind == Framing::Kind::none) return true;
  if (auto expect = headers.find("Expect")) {
    if (!equal_without_case(*expect, "100-continue")) {
      refuse(417, "The only expectation understood is 100-continue.");
      return false;
    }
    awaits_continue_ = !parser_.is_http_1_0() && input_.empty();
  }
  plan_ = options_.plan_body ? options_.plan_body(request_)
                             : BodyPlan{.bytes_max = options_.body_bytes_max};
  if (framing.kind == Framing::Kind::length && framing.length > plan_.bytes_max) {
    refuse(413, "The request's body is too large.");
    return false;
  }
  return true;
}

// Of an admitted request. True when a body has still to be collected.
bool Connection::begin_body() {
  const Framing& framing = parser_.framing();
  if (framing.kind == Framing::Kind::none) return false;
  body_left_ = framing.kind == Framing::Kind::length ? framing.length : 0;
  chunks_.reset();
  if (plan_.stream) request_.body_reader = this;
  return !plan_.stream && !take_body_at_hand();
}

bool Connection::has_unread_body() const {
  switch (parser_.framing().kind) {
    case Framing::Kind::length:
      return body_left_ > 0;
    case Framing::Kind::chunked:
      return !chunks_.done();
    default:
      return false;
  }
}

void Connection::refuse(int status, std::string_view why) {
  is_refused_ = true;
  keeps_alive_ = false;
  response_.clear();
  response_.set_text(status, std::string(why) + "\n");
  if (options_.shape_refusal) options_.shape_refusal(request_, response_);
}

// What the peer is told when its body did not come as it should.
void Connection::refuse_for(const Error& error) {
  if (error.code() == Code::timeout)
    return refuse(408, "The request's body took too long to come.");
  if (error.code() == Code::busy) return refuse(413, "The request's body is too large.");
  refuse(400, error.text());
}

io::Task<Status> Connection::say_continue() {
  awaits_continue_ = false;
  if (Status flushed = co_await flush(); !flushed) co_return flushed;
  co_return co_await stream_.write(std::string_view("HTTP/1.1 100 Continue\r\n\r\n"));
}

io::Task<Status> Connection::receive(Millis timeout) {
  if (Status flushed = co_await flush(); !flushed) co_return flushed;
  stream_.set_deadline(io::after(timeout));
  auto got = co_await stream_.read_some(input_.room());
  if (!got) co_return got.error();
  if (*got == 0) co_return Error(Code::unavailable, "the peer closed the connection");
  input_.filled(*got);
  co_return Status{};
}

bool Connection::take_body_at_hand() {
  bool sized = parser_.framing().kind == Framing::Kind::length;
  if (!sized || input_.view().size() < body_left_) return false;
  request_.body.assign(input_.view().substr(0, body_left_));
  input_.consume(body_left_);
  body_left_ = 0;
  decode_body();
  return true;
}

// Undoes the coding of a body that has come, where the plan says so.
void Connection::decode_body() {
  if (!plan_.decode) return;
  auto refusal = undo_encoding(request_, static_cast<size_t>(plan_.bytes_max));
  if (refusal) refuse(refusal->status, refusal->why);
}

io::Task<Status> Connection::collect_body() {
  if (awaits_continue_) {
    if (Status said = co_await say_continue(); !said) co_return said;
  }
  bool sized = parser_.framing().kind == Framing::Kind::length;
  Status collected = sized ? co_await collect_sized() : co_await collect_chunked();
  if (!collected) {
    Code code = collected.error().code();
    // A peer that is gone is told nothing.
    if (code == Code::unavailable || code == Code::cancelled) co_return collected;
    refuse_for(collected.error());
    co_return Status{};
  }
  decode_body();
  co_return Status{};
}

// The buffer grows with what has come, not with what was announced, and is read into directly.
io::Task<Status> Connection::collect_sized() {
  std::string& body = request_.body;
  size_t have = input_.view().size();
  body.assign(input_.view());
  input_.consume(have);
  body_left_ -= have;
  if (Status flushed = co_await flush(); !flushed) co_return flushed;
  size_t deadline_moves_at = 0;
  while (body_left_ > 0) {
    if (have == body.size()) {
      size_t grown = static_cast<size_t>(
          std::min<uint64_t>(have + body_left_, std::max(2 * have, body_step_bytes)));
      body.resize_and_overwrite(grown, [](char*, size_t size) { return size; });
    }
    if (have >= deadline_moves_at) {
      stream_.set_deadline(io::after(options_.body_timeout));
      deadline_moves_at = have + body_step_bytes;
    }
    auto got = co_await stream_.read_some({body.data() + have, body.size() - have});
    if (!got) co_return got.error();
    if (*got == 0) co_return Error(Code::unavailable, "the peer closed the connection");
    have += *got;
    body_left_ -= *got;
  }
  body.resize(have);
  co_return Status{};
}

io::Task<Status> Connection::collect_chunked() {
  std::string& body = request_.body;
  while (true) {
    size_t have = body.size();
    size_t grown = std::max<size_t>(have + Input::bytes_first, have + input_.view().size());
    body.resize_and_overwrite(grown, [](char*, size_t size) { return size; });
    auto step = chunks_.decode(input_.view(), {body.data() + have, grown - have});
    if (!step) co_return step.error();
    input_.consume(step->consumed);
    body.resize(have + step->produced);
    if (body.size() > plan_.bytes_max) co_return Error(Code::busy, "the body is too large");
    if (chunks_.done()) co_return Status{};
    if (!input_.empty()) continue;
    if (Status received = co_await receive(options_.body_timeout); !received) co_return received;
  }
}

// Past our own buffer: large uploads are not copied on their way.
io::Task<Result<size_t>> Connection::read_sized_into(std::span<char> into) {
  if (Status flushed = co_await flush(); !flushed) co_return flushed.error();
  stream_.set_deadline(io::after(options_.body_timeout));
  auto got = co_await stream_.read_some(
      into.first(static_cast<size_t>(std::min<uint64_t>(into.size(), body_left_))));
  if (got && *got == 0) co_return Error(Code::unavailable, "the peer closed the connection");
  if (got) body_left_ -= *got;
  co_return got;
}

io::Task<Result<size_t>> Connection::read_some(std::span<char> into) {
  bool sized = parser_.framing().kind == Framing::Kind::length;
  if (!has_unread_body() || into.empty()) co_return 0;
  if (awaits_continue_) {
    if (Status said = co_await say_continue(); !said) co_return said.error();
  }
  while (true) {
    if (input_.empty() && sized) co_return co_await read_sized_into(into);
    if (input_.empty()) {
      Status received = co_await receive(options_.body_timeout);
      if (!received) co_return received.error();
    }
    if (sized) {
      size_t take = std::min(into.size(), input_.view().size());
      take = static_cast<size_t>(std::min<uint64_t>(take, body_left_));
      std::memcpy(into.data(), input_.view().data(), take);
      input_.consume(take);
      body_left_ -= take;
      co_return take;
    }
    auto step = chunks_.decode(input_.view(), into);
    if (!step) co_return step.error();
    input_.consume(step->consumed);
    body_seen_ += step->produced;
    if (body_seen_ > plan_.bytes_max) co_return Error(Code::invalid, "the body is too large");
    if (step->produced > 0 || chunks_.done()) co_return step->produced;
  }
}

io::Task<bool> Connection::drop_unread_body() {
  std::array<char, 4096> dropped;
  while (has_unread_body()) {
    auto got = co_await read_some(dropped);
    if (!got) co_return false;
  }
  co_return true;
}

void Connection::end_with_peer() {
  if (watch_ || has_unread_body()) return;
  stream_.set_deadline(io::never);
  watch_.emplace(io::Loop::current());
  watch_->spawn("http hang-up", watch_peer());
}

// The connection is of no use without its peer, so all of it is cancelled, the handler with it.
io::Task<> Connection::watch_peer() {
  if (co_await stream_.hung_up()) serving_.owner.cancel();
}

io::Task<> Connection::stop_watching_peer() {
  watch_->cancel();
  co_await watch_->join();
  watch_.reset();
}

// A close while the peer is still sending would reset the connection and take the answer with it.
io::Task<> Connection::linger_for_peer() {
  stream_.end_writes();
  stream_.set_deadline(io::after(linger));
  std::array<char, 4096> dropped;
  for (size_t count = 0; count < unread_bytes_max;) {
    auto got = co_await stream_.read_some(dropped);
    if (!got || *got == 0) co_return;
    count += *got;
  }
}

}  // namespace pinpipe::http
