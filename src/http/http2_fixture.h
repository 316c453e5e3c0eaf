// For tests: the client's side of one HTTP/2 connection, by nghttp2's own client.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <nghttp2/nghttp2.h>
#include <string>
#include <utility>
#include <vector>

#include "io/stream.h"

namespace pinpipe::http {

using io::Task;
using Lines = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  std::map<std::string, std::string> head;
  std::string body;
  bool is_over = false;
  uint32_t error = 0;
  std::string status() const { return head.contains(":status") ? head.at(":status") : ""; }
};

class Client2 {
 public:
  explicit Client2(io::Stream& stream, bool reads_answers = true) : stream_(stream) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_option* options = nullptr;
    nghttp2_option_new(&options);
    nghttp2_option_set_no_auto_window_update(options, reads_answers ? 0 : 1);
    nghttp2_session_client_new2(&session_, callbacks, this, options);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, 0, nullptr, 0);
  }
  ~Client2() { nghttp2_session_del(session_); }
  Client2(const Client2&) = delete;

  int32_t ask(std::string method, std::string path, Lines more = {}, std::string body = "",
              bool body_ends = true) {
    Lines lines{{":method", method}, {":path", path}, {":scheme", "http"}};
    bool named = !more.empty() && more[0].first == ":authority";
    if (!named) lines.emplace_back(":authority", "localhost");
    lines.insert(lines.end(), more.begin(), more.end());
    std::vector<nghttp2_nv> natives;
    for (auto& [name, value] : lines) {
      natives.push_back({reinterpret_cast<uint8_t*>(name.data()),
                         reinterpret_cast<uint8_t*>(value.data()), name.size(), value.size(), 0});
    }
    bool has_body = !body.empty() || !body_ends;
    nghttp2_data_provider provider{.source = {.ptr = nullptr}, .read_callback = give_body};
    int32_t id = nghttp2_submit_request(session_, nullptr, natives.data(), natives.size(),
                                        has_body ? &provider : nullptr, nullptr);
    bodies_[id] = {std::move(body), body_ends};
    answers_[id];
    return id;
  }
  void reset(int32_t id) { nghttp2_submit_rst_stream(session_, 0, id, NGHTTP2_CANCEL); }
  void ping() { nghttp2_submit_ping(session_, 0, nullptr); }

  Task<Status> flush() {
    std::string out;
    const uint8_t* bytes = nullptr;
    while (true) {
      ssize_t size = nghttp2_session_mem_send(session_, &bytes);
      if (size <= 0) break;
      out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
    }
    co_return co_await stream_.write(out);
  }

  // Until `done` says so (true) or the connection ends (false).
  Task<bool> pump(std::function<bool()> done) {
    std::array<char, 32 * 1024> buffer;
    while (!done()) {
      if (!co_await flush()) is_broken_ = true;
      if (done()) break;
      auto got = co_await stream_.read_some(buffer);
      if (!got || *got == 0) co_return false;
      if (nghttp2_session_mem_recv(session_, reinterpret_cast<uint8_t*>(buffer.data()), *got) < 0)
        co_return false;
    }
    co_return true;
  }
  Task<Answer> answer_to(int32_t id) {
    (void)co_await pump([this, id] { return answers_[id].is_over; });
    co_return answers_[id];
  }
  Task<Answer> fetch(std::string method, std::string path, Lines more = {}, std::string body = "") {
    co_return co_await answer_to(
        ask(std::move(method), std::move(path), std::move(more), std::move(body)));
  }

  size_t unsent(int32_t id) const { return bodies_.at(id).first.size(); }
  void end_body(int32_t id) {
    bodies_.at(id).second = true;
    nghttp2_session_resume_data(session_, id);
  }
  Answer& answer(int32_t id) { return answers_[id]; }
  uint32_t goaway = 1'000;

 private:
  static Client2& self(void* user) { return *static_cast<Client2*>(user); }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                       size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                       void* user) {
    std::string key(reinterpret_cast<const char*>(name), name_size);
    self(user).answers_[frame->hd.stream_id].head[key] =
        std::string(reinterpret_cast<const char*>(value), value_size);
    return 0;
  }
  static int on_data(nghttp2_session*, uint8_t, int32_t id, const uint8_t* bytes, size_t size,
                     void* user) {
    self(user).answers_[id].body.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }
  static int on_close(nghttp2_session*, int32_t id, uint32_t error, void* user) {
    self(user).answers_[id].is_over = true;
    self(user).answers_[id].error = error;
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY) self(user).goaway = frame->goaway.error_code;
    return 0;
  }
  static ssize_t give_body(nghttp2_session*, int32_t id, uint8_t* into, size_t room,
                           uint32_t* flags, nghttp2_data_source*, void* user) {
    auto& [body, ends] = self(user).bodies_[id];
    size_t count = std::min(room, body.size());
    std::copy_n(body.data(), count, reinterpret_cast<char*>(into));
    body.erase(0, count);
    if (body.empty() && !ends && count == 0) return NGHTTP2_ERR_DEFERRED;
    if (body.empty() && ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  io::Stream& stream_;
  nghttp2_session* session_ = nullptr;
  bool is_broken_ = false;
  std::map<int32_t, Answer> answers_;
  std::map<int32_t, std::pair<std::string, bool>> bodies_;
};

}  // namespace pinpipe::http
