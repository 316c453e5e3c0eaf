// PostObject: a browser's form becomes an object.
#include "base/bytes.h"
#include "base/hash.h"
#include "codec/percent.h"
#include "codec/xml.h"
#include "doors/s3/door.h"
#include "doors/s3/form.h"
#include "doors/s3/object_headers.h"

namespace pinpipe::s3 {
namespace {

struct Signer {
  std::string access_key;
  std::string given;
  std::string scope_day, scope_region;
  bool is_v4 = false;
};

// "AKID/20260102/us-east-1/s3/aws4_request"
std::expected<Signer, Failure> signer_of(const Form& form) {
  if (form.has("awsaccesskeyid"))
    return Signer{std::string(form.text("awsaccesskeyid")),
                  std::string(form.text("signature")),
                  {},
                  {},
                  false};
  std::string_view credential = form.text("x-amz-credential");
  std::vector<std::string> parts;
  while (!credential.empty()) {
    size_t end = std::min(credential.find('/'), credential.size());
    parts.emplace_back(credential.substr(0, end));
    credential.remove_prefix(std::min(end + 1, credential.size()));
  }
  if (parts.size() != 5 || parts[3] != "s3" || parts[4] != "aws4_request")
    return failure("AuthorizationQueryParametersError",
                   "Error parsing the X-Amz-Credential parameter");
  return Signer{parts[0], std::string(form.text("x-amz-signature")), parts[1], parts[2], true};
}

std::string signature_of(const Signer& signer, std::string_view secret, std::string_view policy) {
  if (!signer.is_v4) return to_base64(hmac_sha1(secret, policy));
  std::string key = auth::signing_key(secret, signer.scope_day, {signer.scope_region, "s3"});
  return to_hex(hmac_sha256(key, policy));
}

// x-amz-meta-*, Content-Type and their like are fields of the form here.
std::expected<objects::Attributes, Failure> attributes_of_form(const Call& call, const Form& form) {
  http::Request fields;
  for (const auto& [name, value] : form.fields)
    fields.headers.add(name == "acl" || name == "tagging" ? "x-amz-" + name : name, value);
  Call as_headers{fields, call.response, call.bucket, call.key, {}, call.store, {}, {}};
  return attributes_of_request(as_headers);
}

void write_success(Call& call, const Form& form, const std::string& etag) {
  http::Headers& headers = call.response.headers;
  std::string location = "http://" + std::string(call.header("Host")) + "/" + call.bucket + "/" +
                         codec::percent_encode_path(call.key);
  headers.set("ETag", "\"" + etag + "\"");
  headers.set("Location", location);
  std::string redirect(form.text("success_action_redirect"));
  if (redirect.empty()) redirect = form.text("redirect");
  if (redirect.starts_with("http://") || redirect.starts_with("https://")) {
    redirect += redirect.find('?') == std::string::npos ? "?" : "&";
    redirect += "bucket=" + codec::percent_encode(call.bucket) +
                "&key=" + codec::percent_encode(call.key) + "&etag=%22" + etag + "%22";
    headers.set("Location", redirect);
    call.response.status = 303;
    return;
  }
  std::string_view status = form.text("success_action_status");
  call.response.status = status == "200" ? 200 : status == "201" ? 201 : 204;
  if (call.response.status != 201) return;
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("PostResponse").element("Location", location);
  writer.element("Bucket", call.bucket).element("Key", call.key);
  writer.element("ETag", "\"" + etag + "\"").end();
  call.response.set_body(201, "application/xml", std::move(xml));
}

}  // namespace

Outcome Door::authenticate_form(Call& call, const Form& form) const {
  bool is_signed = form.has("x-amz-signature") || form.has("signature");
  std::string_view policy = form.text("policy");
  if (!is_signed && policy.empty()) {
    if (options_.auth_required) return failure("AccessDenied", "Access Denied");
    call.store = parts_.objects.as(auth::local_principal());
    return {};
  }
  auto signer = signer_of(form);
  if (!signer) return std::unexpected(signer.error());
  std::shared_ptr<const auth::Credentials> credentials = parts_.credentials();
  const auth::Credential* known = credentials->find(signer->access_key);
  if (known == nullptr && options_.auth_required)
    return failure("InvalidAccessKeyId",
                   "The AWS Access Key Id you provided does not exist in our records.");
  if (known != nullptr &&
      !equal_constant_time(signature_of(*signer, known->secret, policy), signer->given))
    return failure("SignatureDoesNotMatch",
                   "The request signature we calculated does not match the signature you provided. "
                   "Check your key and signing method.");
  call.store = parts_.objects.as(known != nullptr ? known->principal : auth::local_principal());
  auto text = from_base64(policy);
  if (!text) return failure("InvalidPolicyDocument", "Invalid Policy: not base64.");
  return check_policy(*text, form, call.bucket, parts_.clock.wall_ms());
}

io::Task<Outcome> Door::post_object(Call& call) const {
  auto form = read_form(call.header("Content-Type"), call.request.body);
  if (!form) co_return std::unexpected(form.error());
  call.key = form->text("key");
  constexpr std::string_view variable = "${filename}";
  if (size_t at = call.key.find(variable); at != std::string::npos)
    call.key.replace(at, variable.size(), form->file_name);
  if (call.key.empty())
    co_return failure("InvalidArgument", "Bucket POST must contain a field named 'key'.");
  if (Outcome may = authenticate_form(call, *form); !may) co_return may;
  auto attributes = attributes_of_form(call, *form);
  if (!attributes) co_return std::unexpected(attributes.error());
  objects::Condition always;
  auto stored = co_await call.store.put(call.bucket, call.key, std::string(form->file),
                                        std::move(*attributes), std::move(always));
  if (!stored) co_return co_await object_failure(call, stored.error());
  write_success(call, *form, stored->etag);
  co_return Outcome{};
}

}  // namespace pinpipe::s3
