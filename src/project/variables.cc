#include "project/variables.h"

#include <cstdlib>
#include <fmt/format.h>

#include "base/log_line.h"
#include "project/nearest.h"

namespace pinpipe::project {
namespace {

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  for (char c : text) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '_' && c != '-' && c != '.') return false;
  }
  return true;
}

// Where `piece` stands in the line of `at`, so that the caret is under it and not at the scalar.
Position within(const Position& at, std::string_view piece) {
  if (at.source == nullptr || at.line == 0) return at;
  std::string_view line = at.source->line_at(at.line);
  size_t found = line.find(piece, static_cast<size_t>(std::max(0, at.column - 1)));
  if (found == std::string_view::npos) return at;
  return {at.source, at.line, static_cast<int>(found) + 1};
}

// The names between "$(" and ")" in a text, without those of another kind.
std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names;
  for (size_t at = text.find("$("); at != std::string::npos; at = text.find("$(", at + 2)) {
    size_t end = text.find(')', at);
    if (end == std::string::npos) break;
    if (at == 0 || text[at - 1] != '$') names.push_back(text.substr(at + 2, end - at - 2));
  }
  return names;
}

}  // namespace

std::optional<std::string> from_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

void Variables::define(const Node* vars, const std::map<std::string, std::string>& given,
                       Diagnostics& out) {
  values_ = given;
  if (vars == nullptr || vars->kind == Node::Kind::null) return;
  if (!vars->is_mapping()) {
    out.add(problems::wrong_type, vars->at,
            fmt::format("vars is a mapping of names and values, not {}", kind_name(*vars)));
    return;
  }
  Definitions definitions;
  for (const Node::Entry& entry : vars->entries) {
    if (!is_name(entry.key)) {
      out.add(problems::bad_name, entry.at,
              fmt::format("\"{}\" is no variable name: letters, digits, _ - . and at most 64",
                          entry.key),
              {.length = entry.key.size()});
    } else if (entry.value.kind != Node::Kind::scalar) {
      out.add(problems::wrong_type, entry.value.at,
              fmt::format("variable {} is a text, not {}", entry.key, kind_name(entry.value)));
    } else if (!given.contains(entry.key)) {
      definitions[entry.key].node = &entry.value;
    }
  }
  std::vector<std::string> names;
  for (const auto& [name, definition] : definitions) names.push_back(name);
  for (const std::string& name : names) resolve(name, definitions, out);
}

void Variables::resolve(const std::string& name, Definitions& definitions, Diagnostics& out) {
  auto found = definitions.find(name);
  if (found == definitions.end() || values_.contains(name)) return;
  Definition& definition = found->second;
  if (definition.being_resolved) {
    out.add(problems::cycle, definition.node->at,
            fmt::format("variable {} is defined by itself", name));
    values_[name] = "";
    return;
  }
  definition.being_resolved = true;
  for (const std::string& needed : names_in(definition.node->text)) {
    resolve(needed, definitions, out);
  }
  values_.emplace(name, replaced(definition.node->text, definition.node->at, out));
}

void Variables::replace_in(Node& node, Diagnostics& out) const {
  if (node.kind == Node::Kind::scalar) node.text = replaced(node.text, node.at, out);
  for (Node& item : node.items) replace_in(item, out);
  for (Node::Entry& entry : node.entries) {
    entry.key = replaced(entry.key, entry.at, out);
    replace_in(entry.value, out);
  }
}

std::string Variables::replaced(const std::string& text, const Position& at,
                                Diagnostics& out) const {
  std::string result;
  size_t from = 0;
  for (size_t dollar = text.find('$'); dollar != std::string::npos; dollar = text.find('$', from)) {
    result.append(text, from, dollar - from);
    std::string_view rest = std::string_view(text).substr(dollar);
    from = dollar + 1;
    if (rest.starts_with("$$(")) {
      result += "$(";
      from = dollar + 3;
    } else if (rest.starts_with("${")) {
      std::string_view wrong = rest.substr(0, std::min(rest.find('}'), rest.size() - 1) + 1);
      out.add(problems::bad_reference, within(at, wrong), "references are not written with braces",
              {.hint = "write $(name), not ${name}", .length = wrong.size()});
      result += '$';
    } else if (rest.starts_with("$(")) {
      size_t end = rest.find(')');
      if (end == std::string_view::npos) {
        out.add(problems::bad_reference, within(at, rest), "$( has no closing )",
                {.help = "write $$( for a literal $("});
        return result + std::string(rest);
      }
      std::string reference(rest.substr(2, end - 2));
      auto value = value_of(reference, within(at, rest.substr(0, end + 1)), out);
      result += value ? *value : std::string(rest.substr(0, end + 1));
      from = dollar + end + 1;
    } else {
      result += '$';
    }
    if (result.size() > text_bytes_max) {
      out.add(problems::too_large, at, "with its variables replaced the text is too long");
      return {};
    }
  }
  return result.append(text, from);
}

std::optional<std::string> Variables::value_of(const std::string& reference, const Position& at,
                                               Diagnostics& out) const {
  size_t length = reference.size() + 3;
  size_t colon = reference.find(':');
  std::string name = colon == std::string::npos ? reference : reference.substr(colon + 1);
  std::string kind = colon == std::string::npos ? "" : reference.substr(0, colon);
  if (!is_name(name) || (colon != std::string::npos && kind != "env" && kind != "secret")) {
    out.add(problems::bad_reference, at, fmt::format("$({}) cannot be read", reference),
            {.hint = "$(name), $(env:NAME) or $(secret:name)",
             .help = "write $$( for a literal $(",
             .length = length});
    return std::nullopt;
  }
  if (kind == "env") {
    auto value = environment_ ? environment_(name) : std::nullopt;
    if (!value) {
      out.add(problems::unknown_variable, at,
              fmt::format("environment variable {} is not set", name),
              {.help = fmt::format("export {}=…", name), .length = length});
    }
    return value;
  }
  if (kind == "secret") {
    auto value = secrets_ ? secrets_(name) : std::nullopt;
    if (value) {
      redact_in_logs(*value);
    } else {
      out.add(problems::unknown_variable, at, fmt::format("there is no secret {}", name),
              {.length = length});
    }
    return value;
  }
  auto found = values_.find(name);
  if (found != values_.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [variable, value] : values_) known.push_back(variable);
  out.add(problems::unknown_variable, at, fmt::format("there is no variable {}", name),
          {.hint = did_you_mean(name, known),
           .help = fmt::format("define it under vars: in pinpipe.yaml or give --var {}=…", name),
           .length = length});
  return std::nullopt;
}

}  // namespace pinpipe::project
