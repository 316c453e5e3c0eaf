#include "http/http2_connection.h"

#include <algorithm>
#include <array>
#include <nghttp2/nghttp2.h>

#include "base/check.h"
#include "base/log_line.h"
#include "http/http2_stream.h"

namespace pinpipe::http {

bool Allowance::take() {
  io::Instant now = std::chrono::steady_clock::now();
  double seconds = std::chrono::duration<double>(now - filled_).count();
  left_ = std::min(at_once_, left_ + seconds * per_second_);
  filled_ = now;
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

// What nghttp2 calls while it reads or writes frames. None of these waits.
struct Http2Callbacks {
  static Http2Connection& self(void* user) { return *static_cast<Http2Connection*>(user); }

  static bool opens_stream(const nghttp2_frame* frame) {
    return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (!opens_stream(frame)) return 0;
    auto& connection = self(user);
    connection.head_deadline_ = io::after(connection.serving_.options.head_timeout);
    if (!connection.begin_stream(frame->hd.stream_id))
      connection.reset(frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
    return 0;
  }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                    size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                    void* user) {
    if (!opens_stream(frame)) return 0;  // trailers say nothing to our handlers
    Http2Stream* stream = self(user).find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    bool taken = stream->take_header({reinterpret_cast<const char*>(name), name_size},
                                     {reinterpret_cast<const char*>(value), value_size});
    return taken ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int frame_came(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& connection = self(user);
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    Http2Stream* stream = connection.find(frame->hd.stream_id);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        connection.head_deadline_ = io::never;
        if (stream == nullptr) return 0;
        if (opens_stream(frame)) {
          stream->begin(ends);
        } else if (ends) {
          stream->end_body();
        }
        return 0;
      case NGHTTP2_DATA:
        if (stream != nullptr && ends) stream->end_body();
        if (frame->hd.length == 0 && !ends) connection.count_idle_frame("empty frames");
        return 0;
      case NGHTTP2_PING:
      case NGHTTP2_SETTINGS:
      case NGHTTP2_PRIORITY:
        connection.count_idle_frame("frames that carry nothing");
        return 0;
      default:
        return 0;
    }
  }

  static int body_came(nghttp2_session*, uint8_t, int32_t id, const uint8_t* bytes, size_t size,
                       void* user) {
    Http2Stream* stream = self(user).find(id);
    if (stream == nullptr) {
      self(user).give_window(id, size);
    } else {
      stream->take_body({reinterpret_cast<const char*>(bytes), size});
    }
    return 0;
  }

  // An answer that is out before its request was whole: the rest of that is not wanted.
  static int frame_went(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    Http2Stream* stream = self(user).find(frame->hd.stream_id);
    if (stream != nullptr && !stream->has_whole_request())
      self(user).reset(frame->hd.stream_id, NGHTTP2_NO_ERROR);
    return 0;
  }

  static int stream_ended(nghttp2_session*, int32_t id, uint32_t code, void* user) {
    self(user).end_stream(id, code);
    return 0;
  }

  static ssize_t fill(nghttp2_session*, int32_t id, uint8_t* into, size_t room, uint32_t* flags,
                      nghttp2_data_source*, void* user) {
    Http2Stream* stream = self(user).find(id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return stream->fill(reinterpret_cast<char*>(into), room, flags);
  }

  static const nghttp2_session_callbacks* all() {
    static nghttp2_session_callbacks* const made = [] {
      nghttp2_session_callbacks* callbacks = nullptr;
      CHECK(nghttp2_session_callbacks_new(&callbacks) == 0, "there is memory for callbacks");
      nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
      nghttp2_session_callbacks_set_on_header_callback(callbacks, header);
      nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_came);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, body_came);
      nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frame_went);
      nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_ended);
      return callbacks;
    }();
    return made;
  }
};

namespace {

// Lives as long as `line`; nghttp2 copies it.
nghttp2_nv native(const std::pair<std::string, std::string>& line) {
  auto bytes = [](const std::string& text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
  };
  return {bytes(line.first), bytes(line.second), line.first.size(), line.second.size(),
          NGHTTP2_NV_FLAG_NONE};
}

const nghttp2_option* session_options() {
  static nghttp2_option* const made = [] {
    nghttp2_option* options = nullptr;
    CHECK(nghttp2_option_new(&options) == 0, "there is memory for options");
    // The window opens as handlers read, not as bytes come.
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_no_closed_streams(options, 1);
    nghttp2_option_set_max_settings(options, 32);
    nghttp2_option_set_max_outbound_ack(options, 1'000);
    return options;
  }();
  return made;
}

}  // namespace

Http2Connection::Http2Connection(io::Stream& stream, const Serving& serving)
    : stream_(stream), serving_(serving) {
  open_session();
}

Http2Connection::~Http2Connection() {
  CHECK(streams_.empty(), "a connection outlives its streams");
  nghttp2_session_del(session_);
}

void Http2Connection::open_session() {
  int made = nghttp2_session_server_new2(&session_, Http2Callbacks::all(), this, session_options());
  CHECK(made == 0, "there is memory for a session");
  auto streams_max = static_cast<uint32_t>(serving_.options.streams_max);
  auto head_bytes_max = static_cast<uint32_t>(serving_.options.head_bytes_max);
  const std::array<nghttp2_settings_entry, 3> settings = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, head_bytes_max},
  }};
  (void)nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  (void)nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                              connection_window_bytes);
}

Http2Stream* Http2Connection::find(int32_t stream) {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session_, stream));
}

bool Http2Connection::begin_stream(int32_t id) {
  if (streams_.size() >= 2 * serving_.options.streams_max) return false;
  auto stream = std::make_unique<Http2Stream>(*this, id);
  nghttp2_session_set_stream_user_data(session_, id, stream.get());
  streams_.emplace(id, std::move(stream));
  return true;
}

void Http2Connection::end_stream(int32_t id, uint32_t code) {
  head_deadline_ = io::never;
  Http2Stream* stream = find(id);
  bool in_vain = stream == nullptr || !stream->is_answered();
  if (code != NGHTTP2_NO_ERROR && in_vain && !resets_.take()) calm("streams that were reset");
  if (stream == nullptr) return;
  stream->close();
  // Reset before its head was whole: nobody else will say that it is over.
  if (!stream->has_begun()) finished(*stream);
}

void Http2Connection::count_idle_frame(const char* what) {
  if (!idle_frames_.take()) calm(what);
}

void Http2Connection::calm(const char* what) {
  if (is_calmed_) return;
  is_calmed_ = true;
  log_warn("http", std::string("an HTTP/2 connection ends: too many ") + what,
           {{"door", serving_.options.name}, {"peer", stream_.peer()}});
  (void)nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
}

void Http2Connection::give_window(int32_t stream, size_t bytes) {
  (void)nghttp2_session_consume(session_, stream, bytes);
  output_.notify_all();
}

void Http2Connection::give_stream_window(int32_t stream, size_t bytes) {
  if (bytes > 0) (void)nghttp2_session_consume_stream(session_, stream, bytes);
  output_.notify_all();
}

void Http2Connection::give_connection_window(size_t bytes) {
  if (bytes > 0) (void)nghttp2_session_consume_connection(session_, bytes);
  output_.notify_all();
}

// The oldest whose body still comes always may: so there is one that ends and makes room.
bool Http2Connection::may_collect(const Http2Stream& stream) const {
  if (collected_bytes_ < serving_.options.body_bytes_max) return true;
  for (const auto& [id, other] : streams_) {
    if (other->is_collecting()) return other.get() == &stream;
  }
  return true;
}

void Http2Connection::uncount_collected(size_t bytes) {
  collected_bytes_ -= bytes;
  if (is_ending_) return;
  for (auto& [id, stream] : streams_) {
    if (may_collect(*stream)) stream->open_withheld_window();
  }
}

void Http2Connection::send_head(Http2Stream& stream, const Lines& lines, bool has_body) {
  std::vector<nghttp2_nv> natives;
  natives.reserve(lines.size());
  for (const auto& line : lines) natives.push_back(native(line));
  nghttp2_data_provider body{.source = {.ptr = nullptr}, .read_callback = Http2Callbacks::fill};
  int submitted = nghttp2_submit_response(session_, stream.id(), natives.data(), natives.size(),
                                          has_body ? &body : nullptr);
  if (submitted != 0) reset(stream.id(), NGHTTP2_INTERNAL_ERROR);
  output_.notify_all();
}

void Http2Connection::send_continue(int32_t stream) {
  const std::pair<std::string, std::string> line{":status", "100"};
  nghttp2_nv status = native(line);
  (void)nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream, nullptr, &status, 1, nullptr);
  output_.notify_all();
}

void Http2Connection::resume(int32_t stream) {
  (void)nghttp2_session_resume_data(session_, stream);  // one that was not put off needs none
  output_.notify_all();
}

void Http2Connection::reset(int32_t stream, uint32_t code) {
  (void)nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, code);
  output_.notify_all();
}

void Http2Connection::finished(Http2Stream& stream) {
  finished_.push_back(stream.id());
  output_.notify_all();
}

// True while the connection goes on.
bool Http2Connection::feed(std::string_view bytes) {
  ssize_t taken = nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()),
                                           bytes.size());
  if (taken == NGHTTP2_ERR_FLOODED) {
    calm("frames that ask for answers");
  } else if (taken < 0) {
    (void)nghttp2_session_terminate_session(session_, NGHTTP2_PROTOCOL_ERROR);
  }
  output_.notify_all();
  return taken >= 0 && !is_calmed_ && !is_over();
}

bool Http2Connection::is_over() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

// The stream has one deadline for both directions: the first of those that count now.
void Http2Connection::move_deadline() {
  if (is_ending_) return stream_.set_deadline(write_deadline_);
  io::Instant deadline = std::min(write_deadline_, head_deadline_);
  if (!streams_.empty()) {
    idle_deadline_ = io::never;
  } else if (idle_deadline_ == io::never) {
    idle_deadline_ = io::after(serving_.options.idle_timeout);
  }
  stream_.set_deadline(std::min(deadline, idle_deadline_));
}

io::Task<> Http2Connection::read_all(std::string received) {
  bool goes_on = received.empty() || feed(received);
  std::string().swap(received);
  auto input = std::make_unique_for_overwrite<std::array<char, 16 * 1024>>();
  while (goes_on) {
    move_deadline();
    auto got = co_await stream_.read_some(*input);
    if (!got && got.error().code() == Code::timeout && write_deadline_ == io::never)
      (void)nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
    if (!got || *got == 0) co_return;
    goes_on = feed({input->data(), *got});
  }
}

void Http2Connection::collect_output() {
  writing_bytes_.clear();
  while (writing_bytes_.size() < output_bytes_max) {
    const uint8_t* bytes = nullptr;
    ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size <= 0) break;  // nothing, or no memory: the peer's silence ends the connection then
    writing_bytes_.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  }
}

io::Task<> Http2Connection::write_all() {
  while (true) {
    uint64_t seen = output_.version();
    collect_output();
    if (writing_bytes_.empty()) {
      if (is_ending_) co_return;
      if (!finished_.empty()) {
        co_await part_with_finished();
        continue;
      }
      std::string().swap(writing_bytes_);
      if (Status woken = co_await output_.wait_beyond(seen, io::never); !woken) co_return;
      continue;
    }
    Millis timeout = is_ending_ ? farewell : serving_.options.write_timeout;
    write_deadline_ = io::after(timeout);
    move_deadline();
    Status written = co_await stream_.write(writing_bytes_);
    write_deadline_ = io::never;
    move_deadline();
    if (!written || is_over()) {
      stream_.close();  // the reader ends too
      co_return;
    }
  }
}

io::Task<> Http2Connection::part_with_finished() {
  std::vector<int32_t> ids = std::move(finished_);
  finished_.clear();
  for (int32_t id : ids) {
    auto at = streams_.find(id);
    CHECK(at != streams_.end(), "a stream finishes once");
    co_await at->second->scope().join();  // others may begin and end meanwhile
    std::unique_ptr<Http2Stream> stream = std::move(at->second);
    streams_.erase(at);
    if (!stream->is_closed()) reset(id, NGHTTP2_INTERNAL_ERROR);
    nghttp2_session_set_stream_user_data(session_, id, nullptr);
    stream->drop_body();
  }
  move_deadline();
}

io::Task<> Http2Connection::run(std::string received) {
  io::Scope writer(io::Loop::current());
  writer.spawn("http2 writer", write_all());
  co_await read_all(std::move(received));
  is_ending_ = true;
  output_.notify_all();
  co_await writer.join_with_caller();
  stream_.end_writes();
  for (auto& [id, stream] : streams_) stream->close();
  for (auto& [id, stream] : streams_) co_await stream->scope().join_with_caller();
  streams_.clear();
  stream_.close();
}

}  // namespace pinpipe::http
