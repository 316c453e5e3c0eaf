#include "app/line_editor.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <cwchar>
#include <fcntl.h>
#include <histedit.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"

namespace pinpipe::app {
namespace {

// Written to by Ctrl-C while a line is being written: a flag alone would be seen too late when the
// key comes just before a read begins, or its signal on another thread.
volatile int interrupts = -1;

void note_interrupt(int) {
  int kept = errno;
  uint64_t one = 1;
  (void)!::write(interrupts, &one, sizeof one);
  errno = kept;
}

// While a line is being written Ctrl-C gives it up; at any other time it ends the program.
class InterruptedReads {
 public:
  InterruptedReads() : events_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    CHECK(events_ >= 0, "a descriptor for the terminal's Ctrl-C");
    interrupts = events_;
    struct sigaction action = {};
    action.sa_handler = note_interrupt;
    sigaction(SIGINT, &action, &before_);
  }
  ~InterruptedReads() {
    sigaction(SIGINT, &before_, nullptr);
    ::close(events_);
  }
  InterruptedReads(const InterruptedReads&) = delete;

  bool is_interrupted() const {
    pollfd wait{.fd = events_, .events = POLLIN, .revents = 0};
    return ::poll(&wait, 1, 0) == 1;
  }

 private:
  const int events_;
  struct sigaction before_ = {};
};

// What libedit asks for: 1 with a letter, 0 at the end, -1 on an error or Ctrl-C.
int read_letter(EditLine*, wchar_t* letter) {
  std::mbstate_t begun{};
  while (true) {
    pollfd waits[] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                      {.fd = interrupts, .events = POLLIN, .revents = 0}};
    if (::poll(waits, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return -1;
    }
    if (waits[1].revents != 0) return -1;
    char byte = 0;
    ssize_t got = ::read(STDIN_FILENO, &byte, 1);
    if (got <= 0) return static_cast<int>(got);
    size_t used = std::mbrtowc(letter, &byte, 1, &begun);
    if (used <= 1) return 1;
    if (used == static_cast<size_t>(-1)) begun = {};  // no letter of any language
  }
}

bool is_word_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

}  // namespace

struct LineEditor::State {
  EditLine* editor = nullptr;
  History* history = nullptr;
  std::string history_path;
  std::string prompt;
  Complete complete;

  static char* prompt_of(EditLine* editor) {
    void* client = nullptr;
    el_get(editor, EL_CLIENTDATA, &client);
    return static_cast<State*>(client)->prompt.data();
  }

  static unsigned char complete_word(EditLine* editor, int) {
    void* client = nullptr;
    el_get(editor, EL_CLIENTDATA, &client);
    return static_cast<State*>(client)->complete_here();
  }

  unsigned char complete_here() {
    const LineInfo* line = el_line(editor);
    const char* begin = line->cursor;
    while (begin > line->buffer && is_word_letter(begin[-1])) --begin;
    std::string word(begin, line->cursor);
    std::vector<std::string> words = complete(word);
    if (words.empty()) return CC_ERROR;
    std::string longest = common_beginning(words);
    if (longest.size() > word.size()) {
      el_deletestr(editor, static_cast<int>(word.size()));
      if (words.size() == 1) longest += ' ';
      el_insertstr(editor, longest.c_str());
      return CC_REFRESH;
    }
    constexpr size_t shown_max = 100;
    std::fputc('\n', stdout);
    for (size_t i = 0; i < words.size() && i < shown_max; ++i)
      std::printf("%s  ", words[i].c_str());
    std::fputc('\n', stdout);
    return CC_REDISPLAY;
  }
};

LineEditor::LineEditor(std::string history_path, Complete complete)
    : state_(std::make_unique<State>()) {
  state_->history_path = std::move(history_path);
  state_->complete = std::move(complete);
  state_->editor = el_init("pinpipe", stdin, stdout, stderr);
  state_->history = history_init();
  HistEvent event;
  history(state_->history, &event, H_SETSIZE, history_max);
  history(state_->history, &event, H_SETUNIQUE, 1);
  if (!state_->history_path.empty())
    history(state_->history, &event, H_LOAD, state_->history_path.c_str());
  el_set(state_->editor, EL_CLIENTDATA, state_.get());
  el_set(state_->editor, EL_GETCFN, &read_letter);
  el_set(state_->editor, EL_PROMPT, &State::prompt_of);
  el_set(state_->editor, EL_EDITOR, "emacs");
  el_set(state_->editor, EL_HIST, history, state_->history);
  el_set(state_->editor, EL_ADDFN, "complete-word", "complete the word", &State::complete_word);
  el_set(state_->editor, EL_BIND, "^I", "complete-word", nullptr);
  el_set(state_->editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_source(state_->editor, nullptr);
}

LineEditor::~LineEditor() {
  history_end(state_->history);
  el_end(state_->editor);
}

std::optional<LineEditor::Line> LineEditor::read(const std::string& prompt) {
  state_->prompt = prompt;
  InterruptedReads reads;
  // Before the prompt is seen, which libedit writes first: a key that is pressed in between would
  // be shown by the terminal itself.
  el_set(state_->editor, EL_PREP_TERM, 1);
  int length = 0;
  const char* line = el_gets(state_->editor, &length);
  if (reads.is_interrupted()) {
    std::fputs("^C\n", stdout);
    el_reset(state_->editor);
    return Line{.text = {}, .given_up = true};
  }
  if (line == nullptr || length <= 0) return std::nullopt;
  Line read{.text = std::string(line, static_cast<size_t>(length))};
  while (read.text.ends_with('\n') || read.text.ends_with('\r')) read.text.pop_back();
  return read;
}

void LineEditor::remember(const std::string& text) {
  HistEvent event;
  history(state_->history, &event, H_ENTER, text.c_str());
  if (state_->history_path.empty()) return;
  // The file is made before libedit would make one that everybody can read.
  int made = ::open(state_->history_path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (made >= 0) ::close(made);
  history(state_->history, &event, H_SAVE, state_->history_path.c_str());
}

std::string common_beginning(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  std::string common = words.front();
  for (const std::string& word : words) {
    auto [end, other] = std::mismatch(common.begin(), common.end(), word.begin(), word.end());
    common.erase(end, common.end());
  }
  return common;
}

}  // namespace pinpipe::app
