// topic consume: asks for the next step of a topic's records again and again and prints them as
// they come. With a group, what was printed is committed with the next step, so that a consumer
// that is killed prints some records twice rather than never.
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <map>
#include <optional>

#include "app/asker.h"
#include "app/record_text.h"
#include "base/clock.h"

namespace pinpipe::app {
namespace {

using codec::Json;

constexpr int64_t step_records = 1'000;
constexpr int64_t wait_ms = 500;  // after which Ctrl-C is looked at

volatile std::sig_atomic_t interrupted = 0;

// While it lives, Ctrl-C ends the loop instead of the process: the last step is still committed.
class Interruptible {
 public:
  Interruptible() {
    interrupted = 0;
    struct sigaction action{};
    action.sa_handler = [](int) { interrupted = 1; };
    sigaction(SIGINT, &action, &before_int_);
    sigaction(SIGTERM, &action, &before_term_);
  }
  ~Interruptible() {
    sigaction(SIGINT, &before_int_, nullptr);
    sigaction(SIGTERM, &before_term_, nullptr);
  }
  Interruptible(const Interruptible&) = delete;

 private:
  struct sigaction before_int_{};
  struct sigaction before_term_{};
};

// What is printed of a record.
struct Style {
  Form form = Form::table;
  bool formatted = true;  // by `format`, not in a form of -o
  RecordFormat format;
  std::string nothing;
};

Result<Style> style_of(const Invocation& invocation) {
  const Json& arguments = invocation.arguments;
  Style style{
      .form = invocation.form, .formatted = !invocation.form_given, .format = {}, .nothing = {}};
  if (flag_argument(arguments, "null")) style.nothing = "NULL";
  // -o names a place to kcat and a form to us; no word is both.
  for (const std::string& word : texts_argument(arguments, "offset")) {
    auto form = form_of(word);
    if (!form) continue;
    style.form = *form;
    style.formatted = false;
  }
  if (flag_argument(arguments, "json")) {
    style.form = Form::ndjson;
    style.formatted = false;
  }
  std::string text = text_argument(arguments, "format");
  std::string delimiter = text_argument(arguments, "key-delimiter");
  if (!delimiter.empty()) {
    std::string escaped;
    for (char c : delimiter) escaped.append(c == '%' ? "%%" : std::string(1, c));
    text = "%k" + escaped + text;
  }
  auto format = RecordFormat::parse(text);
  if (!format) return format.error();
  style.format = std::move(*format);
  return style;
}

Result<std::string> first_offset(const Json& arguments) {
  std::vector<std::string> places = texts_argument(arguments, "offset");
  std::erase_if(places, [](const std::string& word) { return form_of(word).has_value(); });
  std::string since = text_argument(arguments, "since");
  if (!since.empty()) places.push_back(std::move(since));
  if (flag_argument(arguments, "from-beginning")) places.emplace_back("beginning");
  if (places.size() > 1)
    return Error(Code::invalid, "one of --offset, --since and --from-beginning, once");
  return places.empty() ? std::string() : places.front();
}

// What an answer's rows say, to be printed by a format.
TextRecord record_in(const std::vector<Json>& row, const std::string& topic) {
  TextRecord record;
  record.topic = topic;
  record.partition = static_cast<int32_t>(row[0].as_int().value_or(-1));
  record.offset = row[1].as_int().value_or(-1);
  record.timestamp_ms = from_rfc3339(row[2].as_string().value_or("")).value_or(-1);
  if (auto key = bytes_of(row[3])) record.key = std::move(*key);
  if (auto value = bytes_of(row[4])) record.value = std::move(*value);
  if (auto headers = headers_of(row[5])) record.headers = std::move(*headers);
  return record;
}

class Consumer {
 public:
  Consumer(Asker& asker, const Json& arguments, Style style)
      : asker_(asker),
        style_(std::move(style)),
        topic_(text_argument(arguments, "topic")),
        group_(text_argument(arguments, "group")),
        ends_(flag_argument(arguments, "end") || !asker.has_server()),
        left_(integer_argument(arguments, "count")),
        has_count_(left_ > 0) {}

  Status run(const Json& arguments, const std::string& offset) {
    Interruptible interruptible;
    Json first =
        Json::object({{"partition", integer_argument(arguments, "partition")}, {"offset", offset}});
    auto step = ask(std::move(first));
    while (step && print(*step) && !is_over()) step = ask(Json::object({{"positions", next_}}));
    if (!step) return step.error();
    if (!group_.empty()) {
      has_count_ = true;
      left_ = 0;
      auto committed = ask(Json::object({{"positions", next_}}));
      if (!committed) return committed.error();
    }
    if (!style_.formatted && style_.form != Form::ndjson && style_.form != Form::csv)
      print_rows(all_);
    return {};
  }

 private:
  Result<Answer> ask(Json arguments) {
    arguments.set("topic", topic_);
    arguments.set("group", group_);
    arguments.set("count", has_count_ ? std::min(left_, step_records) : step_records);
    arguments.set("wait", ends_ ? 0 : wait_ms);
    arguments.set("base64", style_.formatted);
    auto answer = asker_.ask("topic", "consume", std::move(arguments));
    if (!answer) return answer;
    if (answer->more.empty()) return Error(Code::internal, "a step without positions");
    Json next = Json::object();
    at_end_ = true;
    for (const std::vector<Json>& row : answer->more.front().rows) {
      std::string partition = codec::to_json(row[0]);
      next.set(partition, row[1]);
      int64_t end = ends_at_.try_emplace(partition, row[2].as_int().value_or(0)).first->second;
      at_end_ &= row[1].as_int().value_or(0) >= end;
    }
    next_ = codec::to_json(next);
    return answer;
  }

  bool is_over() const {
    return interrupted != 0 || (ends_ && at_end_) || (has_count_ && left_ == 0);
  }

  // False when nobody reads any more.
  bool print(Answer& step) {
    for (const std::string& note : step.notes) std::fprintf(stderr, "%s\n", note.c_str());
    step.notes.clear();
    step.more.clear();
    if (has_count_) left_ -= std::ssize(step.rows);
    if (!style_.formatted) return print_in_form(step);
    std::string out;
    for (const std::vector<Json>& row : step.rows)
      style_.format.append(out, record_in(row, topic_), style_.nothing);
    return write(out);
  }

  bool print_in_form(Answer& step) {
    if (style_.form == Form::ndjson) return write(render(step, Form::ndjson));
    if (style_.form == Form::csv) {
      std::string out = render(step, Form::csv);
      if (has_heading_) out.erase(0, out.find('\n') + 1);
      has_heading_ = true;
      return write(out);
    }
    if (all_.columns.empty()) all_.columns = step.columns;
    for (std::vector<Json>& row : step.rows) all_.add_row(std::move(row));
    return true;
  }

  void print_rows(const Answer& answer) const { app::print(answer, style_.form); }

  static bool write(const std::string& out) {
    return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fflush(stdout) == 0;
  }

  Asker& asker_;
  Style style_;
  std::string topic_;
  std::string group_;
  bool ends_;
  int64_t left_;
  bool has_count_;
  std::string next_;                        // positions, as the operation takes them
  std::map<std::string, int64_t> ends_at_;  // of each partition when it was first seen
  bool at_end_ = false;
  bool has_heading_ = false;
  Answer all_;  // for a table and for one JSON array, which are printed at the end
};

}  // namespace

ExitCode run_topic_consume(const Invocation& invocation) {
  auto style = style_of(invocation);
  if (!style) return report(style.error());
  auto offset = first_offset(invocation.arguments);
  if (!offset) return report(offset.error());
  if (integer_argument(invocation.arguments, "count") < 0)
    return report(Error(Code::invalid, "--count is not negative"));
  auto [asker, code] = Asker::open(invocation);
  if (!asker) return code;
  Consumer consumer(*asker, invocation.arguments, std::move(*style));
  Status done = consumer.run(invocation.arguments, *offset);
  if (done) return ExitCode::ok;
  ExitCode failed = report(done.error());
  return done.error().code() == Code::unavailable ? ExitCode::unreachable : failed;
}

}  // namespace pinpipe::app
