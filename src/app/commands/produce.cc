// topic produce: reads records from stdin or a file and adds them to a topic, as many at a time as
// are there. What is acknowledged is in the topic; the table at the end says where.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <poll.h>
#include <unistd.h>

#include "app/asker.h"
#include "app/record_text.h"
#include "base/clock.h"

namespace pinpipe::app {
namespace {

using codec::Json;

constexpr size_t step_records_max = 5'000;
constexpr size_t step_bytes_max = 1 << 20;
constexpr size_t record_bytes_max = 64 << 20;
constexpr int pause_ms = 5;  // of the input, after which what is there is sent

// How the input is taken apart.
struct Shape {
  std::string delimiter;
  std::string key_delimiter;
  std::optional<std::string> key;
  Json headers = Json::array();
  int64_t partition = -1;
  bool empty_is_null = false;
  bool is_json = false;
};

Result<Shape> shape_of(const Json& arguments) {
  Shape shape;
  auto delimiter = unescape(text_argument(arguments, "delimiter"));
  auto key_delimiter = unescape(text_argument(arguments, "key-delimiter"));
  if (!delimiter) return delimiter.error().with("--delimiter");
  if (!key_delimiter) return key_delimiter.error().with("--key-delimiter");
  if (delimiter->empty()) return Error(Code::invalid, "--delimiter cannot be empty");
  shape.delimiter = std::move(*delimiter);
  shape.key_delimiter = std::move(*key_delimiter);
  std::string key = text_argument(arguments, "key");
  if (!key.empty()) shape.key = std::move(key);
  for (const std::string& header : texts_argument(arguments, "header")) {
    size_t equals = header.find('=');
    if (equals == 0) return Error(Code::invalid, fmt::format("\"{}\": write NAME=VALUE", header));
    // A name without "=" has no value.
    Json value = equals == std::string::npos ? Json() : cell_of(header.substr(equals + 1));
    shape.headers.push(
        Json::object({{"key", header.substr(0, equals)}, {"value", std::move(value)}}));
  }
  shape.partition = integer_argument(arguments, "partition");
  shape.empty_is_null = flag_argument(arguments, "null");
  shape.is_json = flag_argument(arguments, "json");
  return shape;
}

Result<Json> record_of_line(const Shape& shape, std::string_view line) {
  if (shape.is_json) {
    auto given = codec::parse_json(line);
    if (!given) return given.error();
    // A copy of a topic keeps its partitions only where that is asked for.
    given->erase("partition");
    if (shape.partition >= 0) given->set("partition", shape.partition);
    return given;
  }
  std::optional<std::string_view> key;
  if (shape.key) key = *shape.key;
  size_t between =
      shape.key_delimiter.empty() ? std::string_view::npos : line.find(shape.key_delimiter);
  if (between != std::string_view::npos) {
    key = line.substr(0, between);
    line.remove_prefix(between + shape.key_delimiter.size());
  }
  auto cell = [&](std::optional<std::string_view> bytes) {
    bool is_null = !bytes || (shape.empty_is_null && bytes->empty());
    return is_null ? Json() : cell_of(bytes);
  };
  Json record = Json::object({{"key", cell(key)}, {"value", cell(line)}});
  if (shape.headers.size() > 0) record.set("headers", shape.headers);
  if (shape.partition >= 0) record.set("partition", shape.partition);
  return record;
}

// Bytes from a descriptor, given out record by record.
class Input {
 public:
  Input(int fd, std::string delimiter) : fd_(fd), delimiter_(std::move(delimiter)) {}

  // The next record; nothing at the end, or when the input pauses and `may_wait` is false.
  Result<std::optional<std::string>> next(bool may_wait) {
    while (true) {
      size_t at = buffer_.find(delimiter_, std::max(from_, searched_));
      if (at != std::string::npos) {
        std::string record = buffer_.substr(from_, at - from_);
        from_ = searched_ = at + delimiter_.size();
        return record;
      }
      searched_ = buffer_.size() - std::min(buffer_.size() - from_, delimiter_.size() - 1);
      if (ended_) return last();
      if (!may_wait && !is_ready()) return std::nullopt;
      if (Status filled = fill(); !filled) return filled.error();
    }
  }
  bool has_ended() const { return ended_ && from_ == buffer_.size(); }

 private:
  // What stands behind the last delimiter.
  std::optional<std::string> last() {
    if (from_ == buffer_.size()) return std::nullopt;
    std::string record = buffer_.substr(from_);
    from_ = buffer_.size();
    return record;
  }

  bool is_ready() const {
    pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&wanted, 1, pause_ms) > 0;
  }

  Status fill() {
    buffer_.erase(0, from_);
    searched_ -= from_;
    from_ = 0;
    if (buffer_.size() > record_bytes_max)
      return Error(Code::invalid, fmt::format("a record beyond {} bytes", record_bytes_max));
    char step[64 << 10];
    ssize_t got = ::read(fd_, step, sizeof step);
    if (got < 0 && errno == EINTR) return {};
    if (got < 0) return Error(Code::unavailable, fmt::format("reading: {}", std::strerror(errno)));
    ended_ = got == 0;
    buffer_.append(step, static_cast<size_t>(got));
    return {};
  }

  int fd_;
  std::string delimiter_;
  std::string buffer_;
  size_t from_ = 0;
  size_t searched_ = 0;  // there is no delimiter that begins before it
  bool ended_ = false;
};

// Where the records went, partition by partition.
struct Landed {
  int64_t first = -1;
  int64_t last = -1;
  int64_t records = 0;
};

class Producer {
 public:
  Producer(Asker& asker, std::string topic) : asker_(asker), topic_(std::move(topic)) {}

  void add(Json record, size_t bytes) {
    records_.push(std::move(record));
    bytes_ += bytes;
  }
  bool is_full() const { return records_.size() >= step_records_max || bytes_ >= step_bytes_max; }

  Status send() {
    if (records_.size() == 0) return {};
    Json arguments = Json::object({{"topic", topic_}, {"records", codec::to_json(records_)}});
    records_ = Json::array();
    bytes_ = 0;
    auto answer = asker_.ask("topic", "produce", std::move(arguments));
    if (!answer) return answer.error();
    for (const std::vector<Json>& row : answer->rows) {
      auto offset = row[1].as_int();
      if (!offset) {
        ++refused_;
        if (refusal_.empty()) refusal_ = row[3].as_string().value_or("");
        continue;
      }
      Landed& landed = landed_[row[0].as_int().value_or(-1)];
      if (landed.records++ == 0) landed.first = *offset;
      landed.last = *offset;
    }
    return {};
  }

  Answer answer() const {
    Answer answer;
    answer.columns = {"partition", "first", "last", "records"};
    for (const auto& [partition, landed] : landed_)
      answer.add_row({partition, landed.first, landed.last, landed.records});
    answer.failed = refused_ > 0;
    if (refused_ > 0)
      answer.notes.push_back(
          fmt::format("{} records were refused; the first: {}", refused_, refusal_));
    return answer;
  }

 private:
  Asker& asker_;
  std::string topic_;
  Json records_ = Json::array();
  size_t bytes_ = 0;
  std::map<int64_t, Landed> landed_;
  int64_t refused_ = 0;
  std::string refusal_;
};

Status produce_all(Input& input, const Shape& shape, Producer& producer) {
  for (int64_t number = 1;; ++number) {
    auto line = input.next(false);
    if (line && !*line) {
      if (Status sent = producer.send(); !sent || input.has_ended()) return sent;
      line = input.next(true);
    }
    if (!line) return line.error();
    if (!*line) return producer.send();
    auto record = record_of_line(shape, **line);
    if (!record) {
      // What came before it is not lost with it.
      if (Status sent = producer.send(); !sent) return sent;
      return record.error().with(fmt::format("record {} of the input", number));
    }
    producer.add(std::move(*record), (*line)->size());
    if (!producer.is_full()) continue;
    if (Status sent = producer.send(); !sent) return sent;
  }
}

}  // namespace

ExitCode run_topic_produce(const Invocation& invocation) {
  auto shape = shape_of(invocation.arguments);
  if (!shape) return report(shape.error());
  std::string path = text_argument(invocation.arguments, "file");
  int fd = path.empty() || path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return report(Error(Code::not_found, fmt::format("{}: {}", path, std::strerror(errno))));
  auto [asker, code] = Asker::open(invocation);
  if (!asker) return code;
  Input input(fd, shape->delimiter);
  Producer producer(*asker, text_argument(invocation.arguments, "topic"));
  Status done = produce_all(input, *shape, producer);
  if (fd != STDIN_FILENO) ::close(fd);
  if (!done) {
    ExitCode failed = report(done.error());
    return done.error().code() == Code::unavailable ? ExitCode::unreachable : failed;
  }
  return print(producer.answer(), invocation.form);
}

}  // namespace pinpipe::app
