// HTTP/2 connections: whatever frames come after the preface and however they are cut, nothing
// crashes, every stream's task ends with the connection, and what is held stays bounded.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "http/http2_connection.h"
#include "io/runtime.h"
#include "io/scope.h"

namespace {

namespace io = pinpipe::io;
namespace http = pinpipe::http;
using io::Task;
using pinpipe::Millis;
using pinpipe::Result;
using pinpipe::Status;

// Gives the input in steps and then its end; what is written is counted and dropped.
class Input final : public io::Stream {
 public:
  Input(std::string_view bytes, size_t step) : bytes_(bytes), step_(step) {}

  Task<Result<size_t>> read_some(std::span<char> into) override {
    (void)co_await io::sleep_for(Millis(0));  // the tasks of streams have their turn
    size_t count = std::min({into.size(), bytes_.size(), step_});
    bytes_.copy(into.data(), count);
    bytes_.remove_prefix(count);
    co_return count;
  }
  Task<Status> write(std::span<const std::string_view> pieces) override {
    for (std::string_view piece : pieces) written_ += piece.size();
    co_return Status{};
  }
  Task<Status> send_file(int, uint64_t, uint64_t) override { co_return Status{}; }
  size_t write_now(std::string_view bytes) override { return bytes.size(); }
  uint64_t bytes_taken() const override { return written_; }
  bool has_news() const override { return true; }
  Task<bool> hung_up() override { co_return bytes_.empty(); }
  void set_deadline(io::Instant) override {}
  void close() override { bytes_ = {}; }
  std::string peer() const override { return "fuzz"; }
  bool is_local_socket() const override { return true; }

 private:
  std::string_view bytes_;
  size_t step_;
  uint64_t written_ = 0;
};

// Half of all inputs are not bytes on the wire but frames: type, flags, stream and length, then
// that much content. A head begins as a good one does, so that streams come about.
std::string frames_of(std::string_view in) {
  constexpr std::string_view good_head("\x83\x86\x84\x41\x01\x61", 6);  // POST / of http://a
  std::string out;
  while (in.size() >= 4) {
    auto type = static_cast<uint8_t>(in[0] & 15), flags = static_cast<uint8_t>(in[1]);
    auto stream = static_cast<char>(in[2] & 15);
    std::string content(in.substr(4, static_cast<uint8_t>(in[3])));
    in.remove_prefix(4 + content.size());
    if (type == 1 && (flags & 0x28) == 0)
      content.insert(0, good_head);  // neither padded nor weighed
    out += {'\0', static_cast<char>(content.size() >> 8), static_cast<char>(content.size())};
    out += {static_cast<char>(type), static_cast<char>(flags), '\0', '\0', '\0', stream};
    out += content;
  }
  return out;
}

Task<> answer(http::Request& request, http::Response& response) {
  if (request.body_reader != nullptr) {
    std::array<char, 100> buffer;
    while (true) {
      auto got = co_await request.body_reader->read_some(buffer);
      if (!got || *got == 0) break;
    }
  }
  std::string body = request.body;
  response.stream = [body](http::BodyWriter& writer) { return writer.write(body); };
}

Task<> serve(io::Stream& stream, const http::Server::Options& options,
             const http::Handler& handler) {
  io::Scope scope(io::Loop::current());
  http::Serving serving{options, handler, nullptr, scope};
  http::Http2Connection connection(stream, serving);
  co_await connection.run({});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  std::string bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  bytes += (data[0] & 2) != 0 ? frames_of(rest) : std::string(rest);
  bool streams = (data[0] & 1) != 0;
  http::Server::Options options{.head_bytes_max = 4096, .body_bytes_max = 10'000};
  options.streams_max = 5;
  options.plan_body = [streams](const http::Request&) {
    return http::BodyPlan{.bytes_max = 10'000, .stream = streams};
  };
  http::Handler handler = answer;
  Input input(bytes, data[0] / 4 + 1U);
  static io::Runtime& runtime =
      *new io::Runtime({.loops = 1, .disk_threads = 1, .work_threads = 1});
  io::run_on(runtime.loop(0), serve(input, options, handler));
  return 0;
}
