#include "app/line_editor.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <histedit.h>
#include <unistd.h>

namespace pinpipe::app {
namespace {

volatile std::sig_atomic_t was_interrupted = 0;

void note_interrupt(int) {
  was_interrupted = 1;
}

// While a line is being written Ctrl-C gives it up; at any other time it ends the program.
class InterruptedReads {
 public:
  InterruptedReads() {
    was_interrupted = 0;
    struct sigaction action = {};
    action.sa_handler = note_interrupt;
    sigaction(SIGINT, &action, &before_);
  }
  ~InterruptedReads() { sigaction(SIGINT, &before_, nullptr); }
  InterruptedReads(const InterruptedReads&) = delete;

 private:
  struct sigaction before_ = {};
};

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
  int length = 0;
  const char* line = el_gets(state_->editor, &length);
  if (was_interrupted != 0) {
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
