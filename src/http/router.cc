#include "http/router.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/percent.h"

namespace pinpipe::http {
namespace {

constexpr size_t segments_max = 64;

struct Leaf {
  std::string method;
  std::string pattern;
  std::vector<std::string> names;  // of the parameters, in the order of the path
  Handler handler;
};

struct Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::vector<Leaf> leaves;       // the path ends here
  std::vector<Leaf> rest_leaves;  // the path goes on, whatever comes
};

// The raw pieces of a path between its slashes.
struct Segments {
  std::array<std::string_view, segments_max> at;
  size_t count = 0;
};

struct Match {
  const Leaf* leaf = nullptr;
  std::array<std::string_view, segments_max> values;  // raw, one per name
  size_t value_count = 0;
  std::vector<std::string_view> allowed;  // methods of matching paths, when none fits
};

class Search {
 public:
  Search(std::string_view method, std::string_view path, const Segments& segments)
      : method_(method), path_(path), segments_(segments) {}

  const Leaf* walk(const Node& node, size_t depth, size_t value_count) {
    if (depth == segments_.count) {
      if (const Leaf* leaf = pick(node.leaves)) return done(leaf, value_count);
      return nullptr;
    }
    std::string_view segment = segments_.at[depth];
    if (auto at = node.literals.find(segment); at != node.literals.end()) {
      if (const Leaf* leaf = walk(*at->second, depth + 1, value_count)) return leaf;
    }
    if (node.parameter && !segment.empty()) {
      match_.values[value_count] = segment;
      if (const Leaf* leaf = walk(*node.parameter, depth + 1, value_count + 1)) return leaf;
    }
    if (const Leaf* leaf = pick(node.rest_leaves)) {
      auto from = static_cast<size_t>(segment.data() - path_.data());
      match_.values[value_count] = path_.substr(from);
      return done(leaf, value_count + 1);
    }
    return nullptr;
  }

  Match& match() { return match_; }

 private:
  const Leaf* done(const Leaf* leaf, size_t value_count) {
    match_.value_count = value_count;
    return match_.leaf = leaf;
  }

  const Leaf* pick(const std::vector<Leaf>& leaves) {
    const Leaf* get = nullptr;
    for (const Leaf& leaf : leaves) {
      if (leaf.method == method_ || leaf.method == "*") return &leaf;
      if (leaf.method == "GET") get = &leaf;
    }
    if (get != nullptr && method_ == "HEAD") return get;
    for (const Leaf& leaf : leaves) match_.allowed.push_back(leaf.method);
    return nullptr;
  }

  std::string_view method_, path_;
  const Segments& segments_;
  Match match_;
};

// False when there are too many.
bool split(std::string_view path, bool lenient, Segments& into) {
  if (path.starts_with('/')) path.remove_prefix(1);
  while (true) {
    size_t slash = path.find('/');
    std::string_view segment = path.substr(0, slash);
    bool dropped = lenient && segment.empty();
    if (!dropped) {
      if (into.count == segments_max) return false;
      into.at[into.count++] = segment;
    }
    if (slash == path.npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool fill_params(const Match& match, Request& request) {
  request.params.resize(match.value_count);
  for (size_t i = 0; i < match.value_count; ++i) {
    request.params[i].first = match.leaf->names[i];
    std::string& value = request.params[i].second;
    if (match.values[i].find('%') == std::string_view::npos) {
      value = match.values[i];  // the usual case, into the buffer that is there
      continue;
    }
    auto decoded = codec::percent_decode(match.values[i]);
    if (!decoded) return false;
    value = std::move(*decoded);
  }
  return true;
}

io::Task<> answer_not_found(Request&, Response& response) {
  response.set_text(404, "Nothing is here.\n");
  co_return;
}

io::Task<> answer_wrong_method(Request& request, Response& response) {
  response.set_text(405, request.method + " is not what can be done here.\n");
  co_return;
}

void set_allow(std::vector<std::string_view> methods, Response& response) {
  std::ranges::sort(methods);
  methods.erase(std::unique(methods.begin(), methods.end()), methods.end());
  std::string allow;
  for (std::string_view method : methods) {
    if (!allow.empty()) allow += ", ";
    allow += method;
    if (method == "GET") allow += ", HEAD";
  }
  response.headers.set("Allow", allow);
}

}  // namespace

struct Router::Tree {
  Node root;
  Handler fallback = answer_not_found;
  Handler wrong_method = answer_wrong_method;
  bool lenient = false;
};

Router::Router() : tree_(std::make_unique<Tree>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(std::string_view method, std::string_view pattern, Handler handler) {
  CHECK(pattern.starts_with('/'), "a route's pattern begins with a slash");
  Leaf leaf{std::string(method), std::string(pattern), {}, std::move(handler)};
  Segments segments;
  CHECK(split(pattern, tree_->lenient, segments), "a route has not too many segments");
  Node* node = &tree_->root;
  for (size_t i = 0; i < segments.count; ++i) {
    std::string_view segment = segments.at[i];
    if (segment.starts_with('{') && segment.ends_with("...}")) {
      CHECK(i + 1 == segments.count, "the rest of a path is its last segment");
      leaf.names.emplace_back(segment.substr(1, segment.size() - 5));
      node->rest_leaves.push_back(std::move(leaf));
      return;
    }
    if (segment.starts_with('{') && segment.ends_with('}')) {
      leaf.names.emplace_back(segment.substr(1, segment.size() - 2));
      if (!node->parameter) node->parameter = std::make_unique<Node>();
      node = node->parameter.get();
    } else {
      auto& next = node->literals[std::string(segment)];
      if (!next) next = std::make_unique<Node>();
      node = next.get();
    }
  }
  node->leaves.push_back(std::move(leaf));
}

void Router::set_fallback(Handler handler) {
  tree_->fallback = std::move(handler);
}
void Router::set_wrong_method(Handler handler) {
  tree_->wrong_method = std::move(handler);
}
void Router::set_lenient_slashes(bool lenient) {
  tree_->lenient = lenient;
}

io::Task<> Router::handle(Request& request, Response& response) const {
  std::string_view path = request.path();
  Segments segments;
  if (!split(path, tree_->lenient, segments)) return tree_->fallback(request, response);
  Search search(request.method, path, segments);
  if (search.walk(tree_->root, 0, 0) == nullptr) {
    if (search.match().allowed.empty()) return tree_->fallback(request, response);
    set_allow(std::move(search.match().allowed), response);
    return tree_->wrong_method(request, response);
  }
  if (!fill_params(search.match(), request)) {
    return [](Response& answer) -> io::Task<> {
      answer.set_text(400, "The path has a '%' that is not followed by two hexadecimal digits.\n");
      co_return;
    }(response);
  }
  request.operation = search.match().leaf->pattern;
  return search.match().leaf->handler(request, response);
}

Handler Router::handler() const {
  return [this](Request& request, Response& response) { return handle(request, response); };
}

}  // namespace pinpipe::http
