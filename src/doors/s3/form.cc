#include "doors/s3/form.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/clock.h"
#include "codec/json.h"

namespace pinpipe::s3 {
namespace {

using codec::Json;

// name="value" of a header line, with \" for a quote.
std::string parameter(std::string_view line, std::string_view name) {
  std::string wanted = std::string(name) + "=";
  size_t at = 0;
  while ((at = line.find(wanted, at)) != std::string_view::npos) {
    if (at == 0 || line[at - 1] == ' ' || line[at - 1] == ';') break;
    at += wanted.size();
  }
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + wanted.size());
  if (!line.starts_with('"')) return std::string(line.substr(0, line.find(';')));
  std::string value;
  for (size_t i = 1; i < line.size() && line[i] != '"'; ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) ++i;
    value += line[i];
  }
  return value;
}

std::unexpected<Failure> malformed() {
  return failure("MalformedPOSTRequest",
                 "The body of your POST request is not well-formed multipart/form-data.");
}

struct Part {
  std::string name;
  std::string file_name;
  bool is_file = false;
  std::string type;
};

Part part_of(std::string_view head) {
  Part part;
  while (!head.empty()) {
    size_t end = std::min(head.find("\r\n"), head.size());
    std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    std::string name = lowered(line.substr(0, std::min(line.find(':'), line.size())));
    if (name == "content-disposition") {
      part.name = lowered(parameter(line, "name"));
      part.file_name = parameter(line, "filename");
      part.is_file = part.name == "file";
    }
  }
  return part;
}

std::unexpected<Failure> denied(std::string_view why) {
  return failure("AccessDenied", "Invalid according to Policy: " + std::string(why));
}

// ["starts-with", "$key", "user/"], ["eq", …], {"acl": "public-read"}
Outcome check_match(std::string_view kind, std::string field, std::string_view value,
                    const Form& form, std::string_view bucket, std::vector<std::string>& covered) {
  if (field.starts_with('$')) field.erase(0, 1);
  field = lowered(field);
  covered.push_back(field);
  std::string_view given = field == "bucket" ? bucket : form.text(field);
  bool holds = kind == "starts-with" ? given.starts_with(value) : given == value;
  if (holds) return {};
  return denied("Policy Condition failed: [\"" + std::string(kind) + "\", \"$" + field + "\", \"" +
                std::string(value) + "\"]");
}

Outcome check_condition(const Json& condition, const Form& form, std::string_view bucket,
                        std::vector<std::string>& covered) {
  auto bad = failure("InvalidPolicyDocument", "Invalid Policy: Invalid condition.");
  if (condition.is_object()) {
    for (const codec::JsonMember& member : condition.members()) {
      auto value = member.value.as_string();
      if (!value) return bad;
      Outcome met = check_match("eq", member.key, *value, form, bucket, covered);
      if (!met) return met;
    }
    return {};
  }
  const auto& items = condition.elements();
  if (items.size() != 3) return bad;
  std::string kind = lowered(items[0].as_string().value_or(""));
  if (kind == "content-length-range") {
    auto least = items[1].as_uint();
    auto most = items[2].as_uint();
    if (!least || !most) return bad;
    if (form.file.size() > *most)
      return failure("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
    if (form.file.size() < *least)
      return failure("EntityTooSmall",
                     "Your proposed upload is smaller than the minimum allowed size");
    return {};
  }
  auto field = items[1].as_string();
  auto value = items[2].as_string();
  if (!field || !value || (kind != "eq" && kind != "starts-with")) return bad;
  return check_match(kind, std::string(*field), *value, form, bucket, covered);
}

}  // namespace

std::string_view Form::text(std::string_view name) const {
  for (const auto& [field, value] : fields) {
    if (field == name) return value;
  }
  return {};
}

bool Form::has(std::string_view name) const {
  return std::ranges::any_of(fields, [&](const auto& field) { return field.first == name; });
}

bool is_form(const http::Request& request) {
  return request.method == "POST" && lowered(request.headers.find("Content-Type").value_or(""))
                                         .starts_with("multipart/form-data");
}

std::expected<Form, Failure> read_form(std::string_view content_type, std::string_view body) {
  std::string boundary = parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > 70) return malformed();
  std::string delimiter = "\r\n--" + boundary;
  // The first one may stand without a line end before it.
  if (!body.starts_with(delimiter.substr(2))) return malformed();
  body.remove_prefix(delimiter.size() - 2);
  Form form;
  bool has_file = false;
  while (!body.starts_with("--")) {
    size_t head_end = body.find("\r\n\r\n");
    if (!body.starts_with("\r\n") || head_end == std::string_view::npos) return malformed();
    Part part = part_of(body.substr(2, head_end - 2));
    body.remove_prefix(head_end + 4);
    size_t end = body.find(delimiter);
    if (end == std::string_view::npos || part.name.empty()) return malformed();
    std::string_view content = body.substr(0, end);
    body.remove_prefix(end + delimiter.size());
    if (has_file) continue;  // what comes behind the file does not count
    if (part.is_file) {
      has_file = true;
      form.file = content;
      form.file_name = part.file_name.substr(part.file_name.find_last_of("/\\") + 1);
    } else if (form.fields.size() == form_fields_max) {
      return malformed();
    } else {
      form.fields.emplace_back(std::move(part.name), content);
    }
  }
  if (!has_file)
    return failure("InvalidArgument", "POST requires exactly one file upload per request.");
  return form;
}

Outcome check_policy(std::string_view policy, const Form& form, std::string_view bucket,
                     int64_t wall_ms) {
  auto json = codec::parse_json(policy);
  auto expiration =
      json ? from_rfc3339((*json)["expiration"].as_string().value_or("")) : std::nullopt;
  const Json* conditions = json ? json->find("conditions") : nullptr;
  if (!expiration || conditions == nullptr || !conditions->is_array())
    return failure("InvalidPolicyDocument", "Invalid Policy: Invalid JSON.");
  if (*expiration < wall_ms) return denied("Policy expired.");
  std::vector<std::string> covered;
  for (const Json& condition : conditions->elements()) {
    if (Outcome met = check_condition(condition, form, bucket, covered); !met) return met;
  }
  for (const auto& [field, value] : form.fields) {
    bool is_free = field == "policy" || field == "x-amz-signature" || field == "signature" ||
                   field == "awsaccesskeyid" || field.starts_with("x-ignore-");
    if (!is_free && std::ranges::find(covered, field) == covered.end())
      return denied("Extra input fields: " + field);
  }
  return {};
}

}  // namespace pinpipe::s3
