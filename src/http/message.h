// An HTTP request and its answer as plain values, whatever carried them (HTTP/1.1, HTTP/2, a test).
// Both are reused for one connection's requests one after the other: clear() keeps the buffers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/task.h"

namespace pinpipe::http {

// Header lines in order; names compare without regard to case. Names and values lie in one text, so
// that reading a request's head costs one copy; what find() and lines() give is valid until the
// next change.
class Headers {
 public:
  using Line = std::pair<std::string_view, std::string_view>;
  class Lines;

  // The first line of that name, or nothing.
  std::optional<std::string_view> find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name).has_value(); }
  // Replaces all lines of that name by one.
  void set(std::string_view name, std::string_view value);
  void add(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  // True when the comma-separated list in any line of that name has `token`, without regard to
  // case.
  bool lists(std::string_view name, std::string_view token) const;
  void clear() {
    places_.clear();
    text_.clear();
  }
  size_t size() const { return places_.size(); }
  Lines lines() const;

  // For a parser: a copy of the text that the next lines are parts of, and each such line.
  std::string_view hold(std::string_view text);
  void add_held(std::string_view name, std::string_view value);

 private:
  struct Place {
    uint32_t name_at, name_size, value_at, value_size;
  };

  Line line(const Place& place) const {
    return {{text_.data() + place.name_at, place.name_size},
            {text_.data() + place.value_at, place.value_size}};
  }
  std::string_view name(const Place& place) const { return line(place).first; }
  uint32_t put(std::string_view piece);
  void drop_from(size_t first, std::string_view name);

  std::string text_;
  std::vector<Place> places_;
};

// What lines() gives: the lines one after the other, as values.
class Headers::Lines {
 public:
  explicit Lines(const Headers& headers) : headers_(headers) {}
  class Iterator {
   public:
    Iterator(const Headers& headers, const Place* at) : headers_(&headers), at_(at) {}
    Line operator*() const { return headers_->line(*at_); }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const Headers* headers_;
    const Place* at_;
  };
  Iterator begin() const { return {headers_, headers_.places_.data()}; }
  Iterator end() const { return {headers_, headers_.places_.data() + headers_.places_.size()}; }

 private:
  const Headers& headers_;
};

inline Headers::Lines Headers::lines() const {
  return Lines(*this);
}

// A body that comes while it is read, for uploads too large to hold.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // At least one byte, or 0 at the end of the body.
  virtual io::Task<Result<size_t>> read_some(std::span<char> into) = 0;
};

// Ends a handler whose client has gone.
class PeerWatch {
 public:
  virtual ~PeerWatch() = default;
  virtual void end_with_peer() = 0;
};

struct Request {
  std::string method;              // upper case as sent
  std::string target;              // as sent: "/a%20b?x=1"
  std::string_view path() const;   // raw, without the query
  std::string_view query() const;  // raw, without '?'; empty when there is none
  Headers headers;
  std::string body;                   // whole, unless the plan said to stream
  BodyReader* body_reader = nullptr;  // set when the plan said to stream
  std::string peer;                   // "127.0.0.1:50312" or "local"
  bool by_local_socket = false;
  bool secure = false;
  std::vector<std::pair<std::string, std::string>> params;  // filled by the router, decoded
  // What the request is to its door, for metrics: the route's pattern, set by the router, or the
  // name of an API's call. Lives as long as the program's doors; empty: the method says enough.
  std::string_view operation{};
  PeerWatch* peer_watch = nullptr;  // none in tests of handlers alone

  // From here on the waits of this handler answer `cancelled` once its client has hung up or has
  // reset the request. For long polls, and only where nothing is left half done; once the body has
  // been read. Streamed answers end with their client in any case.
  void end_with_peer() {
    if (peer_watch != nullptr) peer_watch->end_with_peer();
  }

  // A path parameter of the route that matched; a program error when the route has none of that
  // name.
  const std::string& param(std::string_view name) const;
  // The first decoded value of a query parameter.
  std::optional<std::string> query_param(std::string_view name) const;
  void clear();
};

// Takes an answer's body piece by piece: server-sent events, long listings.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  virtual io::Task<Status> write(std::string_view bytes) = 0;
};

struct FileBody {
  std::shared_ptr<void> keep_open;  // holds what owns the descriptor
  int descriptor = -1;
  uint64_t offset = 0;
  uint64_t size = 0;
};

struct Response {
  int status = 200;
  Headers headers;
  // One of these three; `body` unless another is set.
  std::string body;
  std::optional<FileBody> file;
  std::function<io::Task<Status>(BodyWriter&)> stream;

  void clear();
  void set_text(int code, std::string_view text);  // text/plain
  void set_json(int code, std::string json);       // application/json
  void set_body(int code, std::string_view content_type, std::string content);
};

// Answers one request. Runs on the connection's loop; `request` and `response` live until it is
// done.
using Handler = std::function<io::Task<>(Request& request, Response& response)>;

std::string_view reason_of(int status);

// Whether two names or tokens are the same but for the case of ASCII letters.

}  // namespace pinpipe::http
