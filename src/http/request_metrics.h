// Counts and times a listener's requests: pinpipe_http_requests_total{api,op,code},
// pinpipe_http_request_duration_seconds{api,op}, pinpipe_http_requests_in_flight{api}.
// `op` is Request::operation or the method; a request whose client left before its answer was ready
// has the code "aborted". Thread-safe; a Span belongs to one connection or stream.
#pragma once

#include <string>
#include <string_view>

#include "base/metrics.h"
#include "http/message.h"
#include "io/timer.h"

namespace pinpipe::http {

class RequestMetrics {
 public:
  explicit RequestMetrics(std::string api);

  // One request after the other. What it met last it finds again without a look-up.
  class Span {
   public:
    explicit Span(RequestMetrics* metrics) : metrics_(metrics) {}
    ~Span() { end("", "", 0); }
    Span(const Span&) = delete;

    void begin(io::Instant now = io::now()) {
      if (metrics_ == nullptr) return;
      end("", "", 0);
      metrics_->in_flight_.add(1);
      begun_ = now;
      is_open_ = true;
    }
    // status 0: there was no answer to give. Gives the time; does nothing else when there is no
    // request.
    io::Instant end(std::string_view operation, std::string_view method, int status);

   private:
    RequestMetrics* metrics_;
    io::Instant begun_{};
    bool is_open_ = false;
    std::string operation_;
    int status_ = -1;
    Counter* requests_ = nullptr;
    Histogram* duration_ = nullptr;
  };

 private:
  Counter& requests(std::string_view operation, int status) const;
  Histogram& duration(std::string_view operation) const;

  std::string api_;
  Gauge& in_flight_;
};

}  // namespace pinpipe::http
