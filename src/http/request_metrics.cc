#include "http/request_metrics.h"

namespace pinpipe::http {
namespace {

// Methods are the client's to invent; labels are not.
std::string_view label_of(std::string_view method) {
  for (std::string_view known : {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    if (method == known) return known;
  }
  return "other";
}

}  // namespace

RequestMetrics::RequestMetrics(std::string api)
    : api_(std::move(api)),
      in_flight_(metrics().gauge("pinpipe_http_requests_in_flight",
                                 "Requests that came and are not answered yet", {{"api", api_}})) {}

Counter& RequestMetrics::requests(std::string_view operation, int status) const {
  return metrics().counter("pinpipe_http_requests_total", "Requests by what became of them",
                           {{"api", api_},
                            {"op", std::string(operation)},
                            {"code", status == 0 ? "aborted" : std::to_string(status)}});
}

Histogram& RequestMetrics::duration(std::string_view operation) const {
  return metrics().histogram("pinpipe_http_request_duration_seconds",
                             "From a request's head to the end of its answer",
                             {{"api", api_}, {"op", std::string(operation)}});
}

io::Instant RequestMetrics::Span::end(std::string_view operation, std::string_view method,
                                      int status) {
  io::Instant now = io::now();
  if (!is_open_) return now;
  is_open_ = false;
  metrics_->in_flight_.add(-1);
  if (operation.empty()) operation = label_of(method);
  if (requests_ == nullptr || status != status_ || operation != operation_) {
    requests_ = &metrics_->requests(operation, status);
    duration_ = &metrics_->duration(operation);
    operation_ = operation;
    status_ = status;
  }
  requests_->add();
  duration_->observe_us(
      std::chrono::duration_cast<std::chrono::microseconds>(now - begun_).count());
  return now;
}

}  // namespace pinpipe::http
