// HTTP/1 heads and chunked bodies: whatever the bytes and however they are cut, nothing crashes and
// the pieces make no difference.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "http/http1_parser.h"

namespace {

using pinpipe::http::ChunkedDecoder;
using pinpipe::http::HeadParser;
using pinpipe::http::Request;
using pinpipe::http::Response;

struct Outcome {
  HeadParser::State state = HeadParser::State::partial;
  int status = 0;
  size_t consumed = 0;
  bool operator==(const Outcome&) const = default;
};

template <class Message>
Outcome parse(HeadParser& parser, Message& message, std::string_view bytes, size_t step) {
  parser.begin(message);
  Outcome outcome;
  while (outcome.consumed < bytes.size() && outcome.state == HeadParser::State::partial) {
    auto progress = parser.feed(bytes.substr(outcome.consumed, step));
    outcome.consumed += progress.consumed;
    outcome.state = progress.state;
    outcome.status = progress.status;
  }
  return outcome;
}

std::string decode(std::string_view bytes, size_t step, bool& good) {
  ChunkedDecoder decoder;
  std::string body, piece(step, ' ');
  while (!bytes.empty() && !decoder.done()) {
    auto done = decoder.decode(bytes.substr(0, step), piece);
    good = done.has_value();
    if (!good) return {};
    body.append(piece, 0, done->produced);
    bytes.remove_prefix(done->consumed);
  }
  return body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  size_t step = data[0] % 32 + 1U;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  HeadParser parser;
  Request whole, cut;
  Outcome a = parse(parser, whole, bytes, bytes.size() + 1);
  Outcome b = parse(parser, cut, bytes, step);
  if (a.state == HeadParser::State::complete) {
    CHECK(a == b, "a head is the same in whatever pieces it comes");
    CHECK(whole.target == cut.target && whole.headers.size() == cut.headers.size(),
          "and so is what it says");
  }
  Response answer;
  parse(parser, answer, bytes, step);
  bool good_whole = true, good_cut = true;
  std::string one = decode(bytes, 4096, good_whole);
  std::string other = decode(bytes, step, good_cut);
  CHECK(good_whole == good_cut && one == other, "a body is the same in whatever pieces it comes");
  return 0;
}
