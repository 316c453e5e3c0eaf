#include "project/yaml.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "project/file_set.h"

namespace pinpipe::project {
namespace {

// Thrown out of yaml-cpp's callbacks to stop it; never leaves this file.
struct Stopped {};

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::shared_ptr<const Source> source, Diagnostics& out)
      : source_(std::move(source)), out_(out) {}

  Node take() { return std::move(root_); }
  bool failed() const { return failed_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) stop(problems::syntax, place(mark), "the file has a second document");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(Node::Kind::null, mark), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    Node node = make(Node::Kind::scalar, mark);
    node.text = value;
    node.quoted = tag == "!";
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      stop(problems::syntax, place(mark), "the alias stands inside the value it names");
    }
    nodes_ += found->second.size;
    if (nodes_ > nodes_max) {
      stop(problems::too_large, place(mark), "with its aliases expanded the file is too large");
    }
    if (open_.size() + found->second.depth > depth_max) too_deep(place(mark));
    Node copy = found->second.node;
    add(std::move(copy), 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(Node::Kind::sequence, mark, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(Node::Kind::mapping, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    std::optional<Node> key;  // of a mapping: the key whose value comes next
  };
  struct Anchored {
    Node node;
    size_t size = 0;
    size_t depth = 0;
  };

  Position place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

  [[noreturn]] void stop(const Problem& problem, const Position& at, std::string sentence) {
    out_.add(problem, at, std::move(sentence));
    failed_ = true;
    throw Stopped{};
  }

  [[noreturn]] void too_deep(const Position& at) {
    stop(problems::too_large, at, fmt::format("values are nested deeper than {}", depth_max));
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    stop(problems::syntax, place(mark), "tags such as " + tag + " are not read here");
  }

  Node make(Node::Kind kind, const YAML::Mark& mark) {
    if (++nodes_ > nodes_max) {
      stop(problems::too_large, place(mark), fmt::format("more than {} values", nodes_max));
    }
    Node node;
    node.kind = kind;
    node.at = place(mark);
    return node;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    Node node = make(kind, mark);
    if (open_.size() >= depth_max) too_deep(node.at);
    if (!open_.empty() && open_.back().node.is_mapping() && !open_.back().key) {
      stop(problems::syntax, node.at, "a key has to be a plain name");
    }
    open_.push_back({std::move(node), anchor, std::nullopt});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      auto [size, depth] = measure(node);
      anchored_ += size;
      if (anchored_ > nodes_max) {
        stop(problems::too_large, node.at, "too much of the file is marked with anchors");
      }
      anchors_[anchor] = {node, size, depth};
    }
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (!parent.node.is_mapping()) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      if (node.kind != Node::Kind::scalar) {
        stop(problems::syntax, node.at, "a key has to be a plain name");
      }
      parent.key = std::move(node);
    } else {
      add_entry(parent, std::move(node));
    }
  }

  void add_entry(Open& parent, Node value) {
    Node key = std::move(*parent.key);
    parent.key.reset();
    if (parent.node.entries.size() == entries_max) {
      stop(problems::too_large, key.at,
           fmt::format("a mapping has more than {} keys", entries_max));
    }
    for (const Node::Entry& entry : parent.node.entries) {
      if (entry.key != key.text) continue;
      out_.add(problems::duplicate_key, key.at,
               fmt::format("key \"{}\" stands here again", key.text),
               {.hint = fmt::format("first on line {}", entry.at.line), .length = key.text.size()});
      failed_ = true;
      return;
    }
    parent.node.entries.push_back({std::move(key.text), std::move(key.at), std::move(value)});
  }

  // Size counts long texts too: a short alias of a long text is as dangerous as one of many values.
  static std::pair<size_t, size_t> measure(const Node& node) {
    size_t size = 1 + node.text.size() / 64, depth = 0;
    auto take = [&](const Node& child) {
      auto [child_size, child_depth] = measure(child);
      size += child_size;
      depth = std::max(depth, child_depth);
    };
    for (const Node& item : node.items) take(item);
    for (const Node::Entry& entry : node.entries) {
      size += entry.key.size() / 64;
      take(entry.value);
    }
    bool nests = node.kind == Node::Kind::sequence || node.is_mapping();
    return {size, depth + (nests ? 1 : 0)};
  }

  std::shared_ptr<const Source> source_;
  Diagnostics& out_;
  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  size_t nodes_ = 0;
  size_t anchored_ = 0;  // summed size of what has an anchor
  int documents_ = 0;
  bool failed_ = false;
};

// What yaml-cpp would accept, guess or choke on: a tab in the indentation, NUL, broken UTF-8.
bool check_bytes(const std::shared_ptr<const Source>& source, Diagnostics& out) {
  std::string_view text = source->text;
  if (text.size() > FileSet::file_bytes_max) {
    out.add(problems::too_large, {source, 0, 0},
            fmt::format("the file has {} bytes; {} is the most a project file may have",
                        text.size(), FileSet::file_bytes_max));
    return false;
  }
  int line = 1, column = 1, continuation = 0;
  bool indenting = true;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    Position at{source, line, column};
    bool continues = (byte & 0xC0) == 0x80;
    if (byte == 0 || byte >= 0xF8 || byte == 0xC0 || byte == 0xC1 ||
        continues != (continuation > 0)) {
      out.add(problems::syntax, at, "the text is not UTF-8 here");
      return false;
    }
    if (continues) {
      --continuation;
    } else {
      continuation = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : byte >= 0xC0 ? 1 : 0;
    }
    if (indenting && c == '\t') {
      out.add(problems::syntax, at, "a tab in the indentation", {.hint = "use blanks"});
      return false;
    }
    indenting = c == '\n' || (indenting && c == ' ');
    ++column;
    if (c == '\n') {
      ++line;
      column = 1;
    }
  }
  if (continuation > 0) {
    out.add(problems::syntax, {source, line, column}, "the text ends within a character");
    return false;
  }
  return true;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::optional<Node> read_yaml(std::shared_ptr<const Source> source, Diagnostics& out) {
  if (!check_bytes(source, out)) return std::nullopt;
  TreeBuilder builder(source, out);
  try {
    std::istringstream stream(source->text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stopped&) {
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    Position at{source, std::max(0, error.mark.line) + 1, std::max(0, error.mark.column) + 1};
    Diagnostics::More more;
    // The one mistake everybody makes who comes from other tools.
    if (source->line_at(at.line).find("${") != std::string_view::npos) {
      more.hint = "write $(name), not ${name}";
    }
    out.add(problems::syntax, at, error.msg, more);
    return std::nullopt;
  }
  if (builder.failed()) return std::nullopt;
  return builder.take();
}

void lay_over(Node& under, const Node& over) {
  if (!under.is_mapping() || !over.is_mapping()) {
    under = over;
    return;
  }
  for (const Node::Entry& entry : over.entries) {
    auto known = std::find_if(under.entries.begin(), under.entries.end(),
                              [&](const Node::Entry& e) { return e.key == entry.key; });
    if (known == under.entries.end()) {
      under.entries.push_back(entry);
    } else if (entry.value.kind == Node::Kind::null) {
      under.entries.erase(known);
    } else {
      lay_over(known->value, entry.value);
      known->at = entry.at;
    }
  }
}

std::string_view kind_name(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return "a text";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::mapping:
      return "a mapping";
  }
  return "nothing";
}

}  // namespace pinpipe::project
