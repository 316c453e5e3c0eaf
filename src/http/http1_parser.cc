#include "http/http1_parser.h"

#include <algorithm>
#include <cstring>
#include <http_parser.h>

#include "base/check.h"

namespace pinpipe::http {

struct HeadParser::Impl {
  http_parser parser{};
  Request* request = nullptr;
  Headers* headers = nullptr;
  Headers::Line* line = nullptr;
  bool in_value = false;
  bool complete = false;
  bool keeps_alive = false;
  size_t bytes_seen = 0;
  int status = 0;  // set by a callback that refuses
  std::string_view why;
  Framing framing;

  int refuse(int with, std::string_view sentence) {
    status = with;
    why = sentence;
    return -1;
  }

  static Impl& of(http_parser* parser) { return *static_cast<Impl*>(parser->data); }

  // The library leaves blanks at the end of a value. It also accepts blanks inside and after a
  // name, which other servers read differently: that is how requests are smuggled.
  int end_line() {
    if (line == nullptr) return 0;
    std::string& value = line->second;
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.pop_back();
    if (line->first.find(' ') != std::string::npos)
      return refuse(400, "A header name contains a blank.");
    line = nullptr;
    return 0;
  }

  int on_field(const char* at, size_t size) {
    if (line == nullptr || in_value) {
      if (int refused = end_line()) return refused;
      if (headers->size() == header_lines_max) return refuse(431, "Too many header lines.");
      line = &headers->append();
      in_value = false;
    }
    line->first.append(at, size);
    return 0;
  }

  int on_value(const char* at, size_t size) {
    in_value = true;
    line->second.append(at, size);
    return 0;
  }

  int frame_request() {
    if (parser.http_major != 1 || parser.http_minor > 1)
      return refuse(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
    auto coding = headers->find("Transfer-Encoding");
    if (coding) {
      if (headers->has("Content-Length"))
        return refuse(400, "Transfer-Encoding and Content-Length exclude each other.");
      if (parser.http_minor == 0) return refuse(400, "HTTP/1.0 has no Transfer-Encoding.");
      if (!equal_without_case(*coding, "chunked") || (parser.flags & F_CHUNKED) == 0)
        return refuse(501, "The only transfer coding understood is \"chunked\".");
      framing = {Framing::Kind::chunked, 0};
    } else if (parser.flags & F_CONTENTLENGTH) {
      framing = {parser.content_length == 0 ? Framing::Kind::none : Framing::Kind::length,
                 parser.content_length};
    } else {
      framing = {};
    }
    return 0;
  }

  int frame_response() {
    int code = parser.status_code;
    bool without_body = code / 100 == 1 || code == 204 || code == 304;
    if (without_body) {
      framing = {};
    } else if (parser.flags & F_CHUNKED) {
      framing = {Framing::Kind::chunked, 0};
    } else if (parser.flags & F_CONTENTLENGTH) {
      framing = {parser.content_length == 0 ? Framing::Kind::none : Framing::Kind::length,
                 parser.content_length};
    } else {
      framing = {Framing::Kind::until_close, 0};
    }
    return 0;
  }

  // Ends the library's work on this message: what follows is ours. The library sees the return
  // value as an error and stops at the head's last byte.
  int on_complete() {
    if (int refused = end_line()) return refused;
    if (int refused = request != nullptr ? frame_request() : frame_response()) return refused;
    keeps_alive = parser.http_minor >= 1 ? (parser.flags & F_CONNECTION_CLOSE) == 0
                                         : (parser.flags & F_CONNECTION_KEEP_ALIVE) != 0;
    if (framing.kind == Framing::Kind::until_close) keeps_alive = false;
    complete = true;
    return -1;
  }

  void start(http_parser_type type) {
    http_parser_init(&parser, type);
    parser.data = this;
    line = nullptr;
    in_value = complete = keeps_alive = false;
    bytes_seen = 0;
    status = 0;
  }
};

namespace {

struct RefusalOf {
  int status;
  std::string_view why;
};

RefusalOf refusal_of(http_errno error) {
  switch (error) {
    case HPE_UNEXPECTED_CONTENT_LENGTH:
      return {400, "Conflicting lengths of the body."};
    case HPE_INVALID_CONTENT_LENGTH:
      return {400, "Content-Length is not a length."};
    case HPE_INVALID_TRANSFER_ENCODING:
      return {501, "The only transfer coding understood is \"chunked\"."};
    case HPE_HEADER_OVERFLOW:
      return {431, "The request's head is too long."};
    case HPE_INVALID_METHOD:
      return {501, "This method is not known."};
    case HPE_INVALID_HEADER_TOKEN:
      return {400, "A header line has a character it must not have."};
    case HPE_INVALID_VERSION:
      return {505, "Only HTTP/1.0 and HTTP/1.1 are spoken here."};
    default:
      return {400, "This is not an HTTP request."};
  }
}

}  // namespace

HeadParser::HeadParser() : impl_(std::make_unique<Impl>()) {
  // We count the head's bytes ourselves; the library's own limit is one for the whole process.
  static const bool once = [] {
    http_parser_set_max_header_size(1U << 30);
    return true;
  }();
  (void)once;
}

HeadParser::~HeadParser() = default;

void HeadParser::begin(Request& request) {
  impl_->start(HTTP_REQUEST);
  impl_->request = &request;
  impl_->headers = &request.headers;
}

void HeadParser::begin(Response& response) {
  impl_->start(HTTP_RESPONSE);
  impl_->request = nullptr;
  impl_->headers = &response.headers;
}

HeadParser::Progress HeadParser::feed(std::string_view bytes) {
  static const http_parser_settings settings = [] {
    http_parser_settings made;
    http_parser_settings_init(&made);
    made.on_url = [](http_parser* parser, const char* at, size_t size) {
      Impl::of(parser).request->target.append(at, size);
      return 0;
    };
    made.on_header_field = [](http_parser* parser, const char* at, size_t size) {
      return Impl::of(parser).on_field(at, size);
    };
    made.on_header_value = [](http_parser* parser, const char* at, size_t size) {
      return Impl::of(parser).on_value(at, size);
    };
    made.on_headers_complete = [](http_parser* parser) { return Impl::of(parser).on_complete(); };
    return made;
  }();
  Impl& impl = *impl_;
  if (bytes.empty()) return {};
  size_t consumed = http_parser_execute(&impl.parser, &settings, bytes.data(), bytes.size());
  impl.bytes_seen += consumed;
  if (impl.complete) {
    // The library skips the last byte of the blank line unseen.
    if (consumed >= bytes.size() || bytes[consumed] != '\n')
      return {State::refused, consumed, 400, "The head does not end with an empty line."};
    if (impl.request != nullptr)
      impl.request->method = http_method_str(static_cast<http_method>(impl.parser.method));
    return {.state = State::complete, .consumed = consumed + 1};
  }
  if (impl.status != 0) return {State::refused, consumed, impl.status, impl.why};
  http_errno error = HTTP_PARSER_ERRNO(&impl.parser);
  if (error != HPE_OK) {
    auto [status, why] = refusal_of(error);
    return {State::refused, consumed, status, why};
  }
  return {.state = State::partial, .consumed = consumed};
}

size_t HeadParser::bytes_seen() const {
  return impl_->bytes_seen;
}
bool HeadParser::keeps_alive() const {
  return impl_->keeps_alive;
}
bool HeadParser::is_http_1_0() const {
  return impl_->parser.http_minor == 0;
}
int HeadParser::status() const {
  return static_cast<int>(impl_->parser.status_code);
}
const Framing& HeadParser::framing() const {
  return impl_->framing;
}

Result<ChunkedDecoder::Step> ChunkedDecoder::decode(std::string_view in, std::span<char> out) {
  Step step;
  while (step.consumed < in.size() && state_ != State::done) {
    if (state_ != State::data) {
      Status taken = take_control(in[step.consumed]);
      if (!taken) return taken.error();
      ++step.consumed;
      continue;
    }
    size_t room = out.size() - step.produced;
    if (room == 0) break;
    size_t take = std::min<size_t>(in.size() - step.consumed, room);
    take = static_cast<size_t>(std::min<uint64_t>(take, left_));
    std::memcpy(out.data() + step.produced, in.data() + step.consumed, take);
    step.consumed += take;
    step.produced += take;
    left_ -= take;
    if (left_ == 0) state_ = State::data_cr;
  }
  return step;
}

Status ChunkedDecoder::take_control(char c) {
  auto wrong = [](std::string_view what) { return Error(Code::invalid, std::string(what)); };
  switch (state_) {
    case State::size: {
      int digit = c >= '0' && c <= '9'   ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : -1;
      if (digit >= 0) {
        if (++digits_ > 15) return wrong("A chunk's size is too large.");
        left_ = left_ * 16 + static_cast<uint64_t>(digit);
        return {};
      }
      if (digits_ == 0) return wrong("A chunk's size is missing.");
      if (c == ';' || c == ' ' || c == '\t') {
        state_ = State::extension;
      } else if (c == '\r') {
        state_ = State::size_lf;
      } else {
        return wrong("A chunk's size is not a hexadecimal number.");
      }
      return {};
    }
    case State::extension:
      if (++line_bytes_ > line_bytes_max) return wrong("A chunk's extension is too long.");
      if (c == '\n') return wrong("A chunk's size line does not end as it should.");
      if (c == '\r') state_ = State::size_lf;
      return {};
    case State::size_lf:
      if (c != '\n') return wrong("A chunk's size line does not end as it should.");
      digits_ = line_bytes_ = 0;
      state_ = left_ == 0 ? State::trailer : State::data;
      return {};
    case State::data_cr:
      if (c != '\r') return wrong("A chunk is longer than its size.");
      state_ = State::data_lf;
      return {};
    case State::data_lf:
      if (c != '\n') return wrong("A chunk is longer than its size.");
      state_ = State::size;
      return {};
    case State::trailer:
      if (++trailer_bytes_ > trailer_bytes_max) return wrong("The trailers are too long.");
      if (c == '\r') {
        state_ = State::trailer_lf;
      } else if (c == '\n') {
        return wrong("A trailer line does not end as it should.");
      } else {
        ++line_bytes_;
      }
      return {};
    case State::trailer_lf:
      if (c != '\n') return wrong("A trailer line does not end as it should.");
      state_ = line_bytes_ == 0 ? State::done : State::trailer;
      line_bytes_ = 0;
      return {};
    case State::data:
    case State::done:
      break;
  }
  CHECK(false, "data is not taken byte by byte");
}

}  // namespace pinpipe::http
