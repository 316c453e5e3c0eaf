#include "http/http1_parser.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "base/ascii.h"
#include "base/check.h"

namespace pinpipe::http {
namespace {

constexpr std::string_view wrong_version = "Only HTTP/1.0 and HTTP/1.1 are spoken here.";

// RFC 9110 token characters.
constexpr std::array<bool, 256> token_table = [] {
  std::array<bool, 256> table{};
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<uint8_t>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<uint8_t>(c)] = true;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<uint8_t>(c)] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<uint8_t>(c)] = true;
  return table;
}();

bool is_token(std::string_view text) {
  bool good = !text.empty();
  for (char c : text) good &= token_table[static_cast<uint8_t>(c)];
  return good;
}

// No control characters but the tab. Written without an early end, so that it is vectorised.
bool is_field_value(std::string_view text) {
  bool bad = false;
  for (char c : text) {
    auto byte = static_cast<uint8_t>(c);
    bad |= (byte < 0x20 && byte != '\t') || byte == 0x7f;
  }
  return !bad;
}

using Bytes = uint8_t __attribute__((vector_size(16)));

Bytes bytes_at(const char* at) {
  Bytes bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

// What a head may not have at these sixteen places: control characters other than the tab and whole
// line ends. Each byte is looked at beside the one that follows it.
Bytes unplain_at(const char* at) {
  Bytes here = bytes_at(at), next = bytes_at(at + 1);
  auto is_return = here == uint8_t{'\r'};
  auto is_control =
      (here < 0x20) & ((here - uint8_t{'\t'}) > 1);  // but for the tab and the line feed
  return reinterpret_cast<Bytes>((is_control & ~is_return) | (here == 0x7f) |
                                 (is_return ^ (next == uint8_t{'\n'})));
}

// Whether a head has nothing but printable characters, blanks, tabs and whole line ends: then no
// line needs a look of its own. The last step goes back over some of the bytes before it.
bool is_plain(std::string_view head) {
  constexpr size_t step = sizeof(Bytes);
  if (head.size() <= step || head.front() == '\n' || head.back() == '\r') return false;
  const char* last = head.data() + head.size() - 1 - step;
  Bytes bad = unplain_at(last);
  for (const char* at = head.data(); at < last; at += step) bad |= unplain_at(at);
  auto halves = reinterpret_cast<uint64_t __attribute__((vector_size(16)))>(bad);
  return (halves[0] | halves[1]) == 0;
}

// How many of the sixteen bytes are letters, digits and hyphens, which most names are made of.
size_t usual_prefix_at(const char* at) {
  Bytes here = bytes_at(at);
  auto usual =
      (((here | 0x20) - uint8_t{'a'}) < 26) | ((here - uint8_t{'0'}) < 10) | (here == uint8_t{'-'});
  auto unusual = reinterpret_cast<uint64_t __attribute__((vector_size(16)))>(~usual);
  if (unusual[0] != 0) return static_cast<size_t>(std::countr_zero(uint64_t{unusual[0]})) / 8;
  return 8 + static_cast<size_t>(std::countr_zero(uint64_t{unusual[1]})) / 8;
}

// Of the token that a text begins with.
size_t token_size(std::string_view text) {
  size_t size = text.size() < sizeof(Bytes) ? 0 : usual_prefix_at(text.data());
  while (size < text.size() && token_table[static_cast<uint8_t>(text[size])]) ++size;
  return size;
}

bool is_target(std::string_view text) {
  bool bad = text.empty();
  for (char c : text) {
    auto byte = static_cast<uint8_t>(c);
    bad |= byte <= 0x20 || byte == 0x7f;
  }
  return !bad;
}

}  // namespace

void HeadParser::begin(Request& request) {
  request_ = &request;
  headers_ = &request.headers;
  start();
}

void HeadParser::begin(Response& response) {
  request_ = nullptr;
  headers_ = &response.headers;
  start();
}

void HeadParser::start() {
  partial_.clear();
  bytes_seen_ = coding_lines_ = host_lines_ = 0;
  framing_ = {};
  length_.reset();
  coding_ = {};
  status_ = 0;
  is_http_1_0_ = is_http2_line_ = says_close_ = says_keep_alive_ = false;
}

HeadParser::Progress HeadParser::feed(std::string_view bytes) {
  // Half of an empty line before the head: its other half is dropped with it.
  if (partial_ == "\r" && bytes.starts_with('\n')) {
    partial_.clear();
    ++bytes_seen_;
    Progress rest = feed(bytes.substr(1));
    ++rest.consumed;
    return rest;
  }
  size_t skipped = 0;
  if (partial_.empty()) {
    // Empty lines before a request are left over from sloppy senders of the one before.
    while (skipped + 1 < bytes.size() && bytes[skipped] == '\r' && bytes[skipped + 1] == '\n')
      skipped += 2;
    bytes_seen_ += skipped;
    bytes.remove_prefix(skipped);
    size_t end = bytes.find("\r\n\r\n");
    if (end != bytes.npos) {
      bytes_seen_ += end + 4;
      return take_whole(bytes.substr(0, end + 2), skipped + end + 4);
    }
    partial_ = bytes;
    bytes_seen_ += bytes.size();
    return {.consumed = skipped + bytes.size()};
  }
  size_t had = partial_.size();
  partial_ += bytes;
  size_t end = partial_.find("\r\n\r\n", had < 3 ? 0 : had - 3);
  if (end == std::string::npos) {
    bytes_seen_ += bytes.size();
    return {.consumed = bytes.size()};
  }
  size_t consumed = end + 4 - had;
  bytes_seen_ += consumed;
  std::string head = std::move(partial_);
  partial_.clear();
  return take_whole(std::string_view(head).substr(0, end + 2), consumed);
}

// `head` is all lines, each with its end.
HeadParser::Progress HeadParser::take_whole(std::string_view head, size_t consumed) {
  Refusal refusal = read_lines(head);
  if (refusal.status == 0 && request_ != nullptr) refusal = frame_request();
  if (request_ == nullptr) frame_response();
  if (refusal.status != 0) return {State::refused, consumed, refusal.status, refusal.why};
  return {.state = State::complete, .consumed = consumed};
}

HeadParser::Refusal HeadParser::read_lines(std::string_view head) {
  is_plain_ = is_plain(head);
  head = headers_->hold(head);
  for (bool first = true; !head.empty(); first = false) {
    const void* found = std::memchr(head.data(), '\n', head.size());
    auto size = static_cast<size_t>(static_cast<const char*>(found) - head.data());
    if (size == 0 || head[size - 1] != '\r') return {400, "A line does not end with CR and LF."};
    std::string_view line = head.substr(0, size - 1);
    head.remove_prefix(size + 1);
    Refusal refusal = !first                ? read_header_line(line)
                      : request_ != nullptr ? read_request_line(line)
                                            : read_status_line(line);
    if (refusal.status != 0) return refusal;
  }
  return {};
}

HeadParser::Refusal HeadParser::read_version(std::string_view text) {
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text == "HTTP/1.1") return {};
  if (text == "HTTP/1.0") {
    is_http_1_0_ = true;
    return {};
  }
  if (text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
      is_digit(text[7])) {
    return {505, wrong_version};
  }
  return {400, "This is not an HTTP request."};
}

HeadParser::Refusal HeadParser::read_request_line(std::string_view line) {
  size_t first = line.find(' ');
  size_t last = line.rfind(' ');
  if (first == line.npos || first == last) return {400, "This is not an HTTP request."};
  std::string_view method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  if (Refusal refusal = read_version(line.substr(last + 1)); refusal.status != 0) {
    is_http2_line_ = line == "PRI * HTTP/2.0";
    return refusal;
  }
  if (!is_token(method)) return {400, "This is not an HTTP request."};
  if (!is_target(target)) return {400, "The target has a blank or a control character."};
  // The absolute form, as sent to proxies, says the same with more words.
  if (target.starts_with("http://") || target.starts_with("https://")) {
    size_t path = target.find('/', target.find("://") + 3);
    target = path == target.npos ? "/" : target.substr(path);
  }
  if (target.front() != '/' && target != "*") return {400, "The target is not a path."};
  request_->method = method;
  request_->target = target;
  return {};
}

HeadParser::Refusal HeadParser::read_status_line(std::string_view line) {
  size_t blank = line.find(' ');
  if (blank == line.npos) return {400, "This is not an HTTP answer."};
  if (Refusal refusal = read_version(line.substr(0, blank)); refusal.status != 0) return refusal;
  std::string_view code = line.substr(blank + 1, 3);
  auto end = std::from_chars(code.data(), code.data() + code.size(), status_);
  if (end.ec != std::errc() || status_ < 100 || status_ > 999)
    return {400, "This is not an HTTP answer."};
  return {};
}

HeadParser::Refusal HeadParser::read_header_line(std::string_view line) {
  size_t colon = token_size(line);
  if (colon == 0 || colon == line.size() || line[colon] != ':')
    return {400, "A header line does not begin with a name and a colon."};
  if (headers_->size() == header_lines_max) return {431, "Too many header lines."};
  std::string_view name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
  headers_->add_held(name, value);
  if (!is_plain_ && !is_field_value(value))
    return {400, "A header's value has a control character."};
  switch (colon) {
    case 4:
      if (equal_without_case(name, "Host") && ++host_lines_ > 1)
        return {400, "There is more than one Host."};
      break;
    case 10:
      if (equal_without_case(name, "Connection")) return note_connection(value);
      break;
    case 14:
      if (equal_without_case(name, "Content-Length")) return note_length(value);
      break;
    case 17:
      if (equal_without_case(name, "Transfer-Encoding")) {
        coding_ = value;
        ++coding_lines_;
      }
      break;
    default:
      break;
  }
  return {};
}

HeadParser::Refusal HeadParser::note_length(std::string_view value) {
  if (length_) return {400, "There is more than one Content-Length."};
  uint64_t length = 0;
  auto end = std::from_chars(value.data(), value.data() + value.size(), length);
  if (value.empty() || end.ec != std::errc() || end.ptr != value.data() + value.size())
    return {400, "Content-Length is not a length."};
  length_ = length;
  return {};
}

HeadParser::Refusal HeadParser::note_connection(std::string_view value) {
  while (!value.empty()) {
    size_t comma = value.find(',');
    std::string_view token = trimmed(value.substr(0, comma));
    says_close_ |= equal_without_case(token, "close");
    says_keep_alive_ |= equal_without_case(token, "keep-alive");
    value.remove_prefix(comma == value.npos ? value.size() : comma + 1);
  }
  return {};
}

HeadParser::Refusal HeadParser::frame_request() {
  if (coding_lines_ > 0) {
    if (length_) return {400, "Transfer-Encoding and Content-Length exclude each other."};
    if (is_http_1_0_) return {400, "HTTP/1.0 has no Transfer-Encoding."};
    if (coding_lines_ > 1 || !equal_without_case(coding_, "chunked"))
      return {501, "The only transfer coding understood is \"chunked\"."};
    framing_.kind = Framing::Kind::chunked;
  } else if (length_ && *length_ > 0) {
    framing_ = {Framing::Kind::length, *length_};
  }
  return {};
}

void HeadParser::frame_response() {
  if (status_ < 200 || status_ == 204 || status_ == 304) return;
  if (coding_lines_ > 0) {
    bool is_chunked = coding_lines_ == 1 && equal_without_case(coding_, "chunked");
    framing_.kind = is_chunked ? Framing::Kind::chunked : Framing::Kind::until_close;
  } else if (!length_) {
    framing_.kind = Framing::Kind::until_close;
  } else if (*length_ > 0) {
    framing_ = {Framing::Kind::length, *length_};
  }
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
