// An HTTP server: HTTP/1.1 with keep-alive, pipelining, chunked bodies, Expect: 100-continue, HEAD;
// HTTP/2 on the same port, by prior knowledge or agreed on in TLS; handlers see no difference.
// Bounds: every limit in Options; each answers with its status (400, 408, 413, 414/431, 503) and a
// close where the connection cannot go on. Conflicting length headers are refused.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "io/server.h"
#include "io/tls.h"

namespace pinpipe::http {

struct BodyPlan {
  uint64_t bytes_max = 0;  // beyond it: 413
  bool stream = false;     // hand the body over as body_reader instead of collecting it
  bool decode = true;  // undo Content-Encoding: gzip in a collected body; bytes_max bounds it too
};

// What a server of ours speaks inside TLS, the preferred one first (ALPN).
inline const std::vector<std::string> protocols = {"h2", "http/1.1"};

class Server {
 public:
  struct Options {
    std::string name = "http";
    size_t head_bytes_max = 32 * 1024;
    uint64_t body_bytes_max = 64ULL << 20;
    size_t connections_max = 20'000;
    Millis head_timeout{10'000};  // from the first byte of a request to the end of its head
    Millis body_timeout{60'000};  // for each further 64 KiB of body
    Millis idle_timeout{75'000};  // between requests
    Millis write_timeout{60'000};
    // Loopback is no boundary: a Host that is neither loopback nor in `hosts` and a foreign Origin
    // are refused with 403. "*" admits every host.
    std::vector<std::string> hosts{};
    bool check_origin = true;
    // Asked once the head is there; without it every body is collected up to body_bytes_max.
    std::function<BodyPlan(const Request& head)> plan_body{};
    // Gives an answer that the server makes by itself (400, 403, 408, 413, …) the shape that the
    // door's protocol has for errors. It comes as text/plain with one sentence.
    std::function<void(const Request& head, Response& refusal)> shape_refusal{};
    // With it, TCP listeners speak TLS only. Made with http::protocols for HTTP/2 to be offered.
    std::shared_ptr<const io::TlsContext> tls{};
    size_t streams_max = 100;  // of one HTTP/2 connection at once
  };

  Server(io::Runtime& runtime, Options options, Handler handler);
  ~Server();

  Result<uint16_t> listen_tcp(const std::string& address, uint16_t port);
  Status listen_local(const std::string& path);
  void start();
  void stop();
  size_t connection_count() const;

  // Serves one stream until it ends: for listeners that are shared, and for tests over a loopback.
  static io::Task<> serve(io::Stream& stream, const Options& options, const Handler& handler);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pinpipe::http
