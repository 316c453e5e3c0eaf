// One line from a person at a terminal: editing, history, completion. The only place that knows
// libedit.
// Bounds: history_max lines are kept, in a file that only its owner can read.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pinpipe::app {

class LineEditor {
 public:
  static constexpr int history_max = 2000;

  // Words that can stand where `word` is being written.
  using Complete = std::function<std::vector<std::string>(const std::string& word)>;

  LineEditor(std::string history_path, Complete complete);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;

  struct Line {
    std::string text;
    bool given_up = false;  // by Ctrl-C, with all that was written before it
  };
  // Nothing at the end (Ctrl-D).
  std::optional<Line> read(const std::string& prompt);
  // `text` is one line.
  void remember(const std::string& text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What all words have in common at their beginning.
std::string common_beginning(const std::vector<std::string>& words);

}  // namespace pinpipe::app
