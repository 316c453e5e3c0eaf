// AWS event-stream messages: what is read is written back as the same bytes, and of a stream
// nothing is read twice or skipped.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "codec/event_stream.h"

using namespace pinpipe;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  // Sums are not guessed: the fuzzer's bytes also come as a message's parts.
  size_t half = size / 2;
  codec::EventMessage made{.headers = {}, .payload = std::string(input.substr(half))};
  made.headers.emplace_back(input.substr(0, std::min<size_t>(half, 255)),
                            input.substr(0, std::min<size_t>(half, 65'535)));
  std::string bytes;
  codec::append_event(bytes, made);
  bytes += input;
  auto back = codec::read_event(bytes);
  CHECK(back && back->message && *back->message == made, "what is written reads back");
  CHECK(back->rest == input, "the next message begins where this one ends");
  while (!input.empty()) {
    auto read = codec::read_event(input);
    if (!read || !read->message) return 0;
    std::string again;
    codec::append_event(again, *read->message);
    CHECK(input.starts_with(again), "what is read is written the same");
    CHECK(input.size() == again.size() + read->rest.size(), "nothing is skipped");
    input = read->rest;
  }
  return 0;
}
