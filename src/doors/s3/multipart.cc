#include "doors/s3/multipart.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "codec/xml.h"
#include "doors/s3/object_headers.h"
#include "doors/s3/part_checksums.h"
#include "doors/s3/upload_body.h"
#include "doors/s3/xml_names.h"
#include "io/files.h"

namespace pinpipe::s3 {
namespace {

Failure failure_of_upload(const Error& error, const Call& call) {
  if (error.code() == Code::not_found)
    return {"NoSuchUpload",
            "The specified multipart upload does not exist. The upload ID may be invalid, or the "
            "upload may have been aborted or completed.",
            {{"UploadId", call.text("uploadId")}}};
  return failure_of(error, call);
}

io::Task<Outcome> create(Call& call, objects::Uploads& uploads) {
  auto there = co_await call.store.find_bucket(call.bucket);
  if (!there) {
    call.key.clear();
    co_return std::unexpected(failure_of(there.error(), call));
  }
  auto attributes = attributes_of_request(call);
  if (!attributes) co_return std::unexpected(attributes.error());
  auto checksums = checksum_plan_of(call);
  if (!checksums) co_return std::unexpected(checksums.error());
  if (*checksums) {
    keep_plan(*attributes, **checksums);
    call.response.headers.set("x-amz-checksum-algorithm", call.header("x-amz-checksum-algorithm"));
    call.response.headers.set("x-amz-checksum-type",
                              (*checksums)->is_composite ? "COMPOSITE" : "FULL_OBJECT");
  }
  auto id = co_await uploads.create(call.bucket, call.key, std::move(*attributes));
  if (!id) co_return std::unexpected(failure_of(id.error(), call));
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("InitiateMultipartUploadResult").attribute("xmlns", xml_namespace);
  writer.element("Bucket", call.bucket).element("Key", call.key).element("UploadId", *id).end();
  answer_xml(call, std::move(xml));
  co_return Outcome{};
}

std::optional<int> part_number_of(const Call& call) {
  int number = 0;
  std::string text = call.text("partNumber");
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (number < 1 || number > objects::Uploads::parts_max) return std::nullopt;
  return number;
}

io::Task<Outcome> put_part(Call& call, objects::Uploads& uploads, io::Pool& disk) {
  auto number = part_number_of(call);
  if (!number)
    co_return failure("InvalidArgument",
                      "Part number must be an integer between 1 and 10000, inclusive");
  if (call.request.headers.has("x-amz-copy-source"))
    co_return co_await copy_part(call, uploads, *number, disk);
  auto body = co_await read_body(call, disk);
  if (!body) co_return std::unexpected(body.error());
  objects::PartFacts facts;
  facts.number = *number;
  facts.md5_hex = body->md5_hex;
  if (body->checksum_kind)
    facts.checksums[std::string(header_of(*body->checksum_kind))] = body->checksum;
  auto part = co_await uploads.put_part(call.text("uploadId"), std::move(facts),
                                        body->temporary_path, std::move(body->bytes));
  if (!part) co_return std::unexpected(failure_of_upload(part.error(), call));
  call.response.status = 200;
  call.response.headers.set("ETag", "\"" + part->md5_hex + "\"");
  if (body->checksum_kind)
    call.response.headers.set(header_of(*body->checksum_kind), body->checksum);
  co_return Outcome{};
}

struct Plan {
  std::vector<int> numbers;
  std::vector<objects::PartFacts> parts;
  std::string etag;
};

// Whether the checksums that the list repeats are those of the part.
bool repeats_checksums(const codec::XmlElement& wanted, const objects::PartFacts& part) {
  for (const auto& [header, value] : part.checksums) {
    for (const codec::XmlElement& given : wanted.children) {
      std::string name = "x-amz-" + given.name;  // <ChecksumCRC32> of x-amz-checksum-crc32
      name.insert(std::min(name.size(), std::string_view("x-amz-checksum").size()), "-");
      if (equal_without_case(name, header) && given.text != value) return false;
    }
  }
  return true;
}

// Which parts make the object, checked against what was uploaded.
std::expected<Plan, Failure> plan_of(const codec::XmlElement& list,
                                     const std::vector<objects::PartFacts>& parts) {
  Plan plan;
  std::string digests;
  uint64_t last_bytes = objects::Uploads::part_bytes_min;
  for (const codec::XmlElement& wanted : list.children) {
    if (wanted.name != "Part") continue;
    int number = 0;
    std::string_view text = wanted.text_of("PartNumber");
    std::from_chars(text.data(), text.data() + text.size(), number);
    if (!plan.numbers.empty() && number <= plan.numbers.back())
      return failure("InvalidPartOrder", "The list of parts was not in ascending order.");
    auto part = std::ranges::find(parts, number, &objects::PartFacts::number);
    if (part == parts.end() || without_quotes(wanted.text_of("ETag")) != part->md5_hex ||
        !repeats_checksums(wanted, *part))
      return failure("InvalidPart",
                     "One or more of the specified parts could not be found. The part may not have "
                     "been uploaded, or the specified entity tag may not match the part's.");
    if (last_bytes < objects::Uploads::part_bytes_min)
      return failure("EntityTooSmall",
                     "Your proposed upload is smaller than the minimum allowed size");
    last_bytes = part->size;
    plan.numbers.push_back(number);
    plan.parts.push_back(*part);
    digests += from_hex(part->md5_hex).value_or("");
  }
  if (plan.numbers.empty()) return failure("MalformedXML", "You must specify at least one part");
  plan.etag = to_hex(md5(digests)) + "-" + std::to_string(plan.numbers.size());
  return plan;
}

// Adds the object's checksum to its attributes; BadDigest when the client knows another one.
io::Task<Outcome> add_checksum(Call& call, const Plan& plan, const std::string& path,
                               objects::Attributes& attributes, io::Pool& disk) {
  attributes.system[std::string(part_sizes_name)] = part_sizes_text(plan.parts);
  auto checksums = take_plan(attributes);
  if (!checksums) co_return Outcome{};
  std::string header(header_of(checksums->kind));
  std::optional<std::string> value = composite_checksum(checksums->kind, plan.parts);
  if (!checksums->is_composite) {
    auto whole = co_await checksum_of_file(path, checksums->kind, disk);
    if (!whole) co_return std::unexpected(failure_of(whole.error(), call));
    value = std::move(*whole);
  }
  if (!value) co_return Outcome{};
  if (std::string_view given = call.header(header); !given.empty() && given != *value)
    co_return failure("BadDigest", "The " + header.substr(15) +
                                       " you specified did not match the calculated checksum.");
  attributes.system["x-amz-checksum-type"] = checksums->is_composite ? "COMPOSITE" : "FULL_OBJECT";
  attributes.system[header] = std::move(*value);
  co_return Outcome{};
}

void write_completed(Call& call, const objects::ObjectFacts& stored,
                     const std::map<std::string, std::string>& system) {
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("CompleteMultipartUploadResult").attribute("xmlns", xml_namespace);
  writer.element("Location", "http://" + std::string(call.header("Host")) + "/" + call.bucket +
                                 "/" + codec::percent_encode_path(call.key));
  writer.element("Bucket", call.bucket).element("Key", call.key);
  writer.element("ETag", "\"" + stored.etag + "\"");
  for (const auto& [name, value] : system) {
    if (std::string element = checksum_element(name); !element.empty())
      writer.element(element, value);
  }
  writer.end();
  answer_xml(call, std::move(xml));
}

io::Task<Outcome> complete(Call& call, objects::Uploads& uploads, io::Pool& disk) {
  std::string id = call.text("uploadId");
  auto upload = co_await uploads.find(call.bucket, call.key, id);
  if (!upload) co_return std::unexpected(failure_of_upload(upload.error(), call));
  auto list = codec::parse_xml(call.request.body);
  if (!list || list->name != "CompleteMultipartUpload")
    co_return failure("MalformedXML", "The XML you provided was not well-formed");
  auto condition = condition_of_write(call);
  if (!condition) co_return std::unexpected(condition.error());
  auto parts = co_await uploads.parts(id);
  if (!parts) co_return std::unexpected(failure_of_upload(parts.error(), call));
  auto plan = plan_of(*list, *parts);
  if (!plan) co_return std::unexpected(plan.error());
  auto joined = co_await uploads.join(id, plan->numbers, call.store.new_temporary());
  if (!joined) co_return std::unexpected(failure_of_upload(joined.error(), call));
  Outcome summed = co_await add_checksum(call, *plan, *joined, upload->attributes, disk);
  if (!summed) {
    (void)co_await disk.run([&] { return io::posix_files().remove(*joined); });
    co_return summed;
  }
  std::map<std::string, std::string> system = upload->attributes.system;
  auto stored =
      co_await call.store.adopt(call.bucket, *joined, call.key, std::move(upload->attributes),
                                std::move(*condition), plan->etag);
  if (!stored) co_return std::unexpected(failure_of(stored.error(), call));
  Status removed = co_await uploads.remove(id);
  if (!removed) co_return std::unexpected(failure_of(removed.error(), call));
  write_completed(call, *stored, system);
  co_return Outcome{};
}

io::Task<Outcome> list_parts(Call& call, objects::Uploads& uploads) {
  auto parts = co_await uploads.parts(call.text("uploadId"));
  if (!parts) co_return std::unexpected(failure_of_upload(parts.error(), call));
  int after = 0;
  size_t count_max = 1'000;
  std::string marker = call.text("part-number-marker"), most = call.text("max-parts");
  std::from_chars(marker.data(), marker.data() + marker.size(), after);
  std::from_chars(most.data(), most.data() + most.size(), count_max);
  std::erase_if(*parts, [&](const objects::PartFacts& part) { return part.number <= after; });
  bool truncated = parts->size() > count_max;
  if (truncated) parts->resize(count_max);
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("ListPartsResult").attribute("xmlns", xml_namespace);
  writer.element("Bucket", call.bucket).element("Key", call.key);
  writer.element("UploadId", call.text("uploadId")).element("PartNumberMarker", after);
  if (truncated && !parts->empty()) writer.element("NextPartNumberMarker", parts->back().number);
  writer.element("MaxParts", count_max).element("IsTruncated", truncated);
  for (const objects::PartFacts& part : *parts) {
    writer.begin("Part").element("PartNumber", part.number);
    writer.element("LastModified", to_rfc3339(part.modified_ms));
    for (const auto& [name, value] : part.checksums) writer.element(checksum_element(name), value);
    writer.element("ETag", "\"" + part.md5_hex + "\"").element("Size", part.size).end();
  }
  writer.element("StorageClass", "STANDARD").end();
  answer_xml(call, std::move(xml));
  co_return Outcome{};
}

}  // namespace

io::Task<Outcome> answer_multipart(Call& call, objects::Uploads& uploads, io::Pool& disk) {
  if (Status may = call.store.may_write(call.bucket, call.key); !may)
    co_return std::unexpected(failure_of(may.error(), call));
  const std::string& method = call.request.method;
  if (method == "POST" && call.has("uploads")) co_return co_await create(call, uploads);
  auto upload = co_await uploads.find(call.bucket, call.key, call.text("uploadId"));
  if (!upload) co_return std::unexpected(failure_of_upload(upload.error(), call));
  if (method == "PUT") co_return co_await put_part(call, uploads, disk);
  if (method == "POST") co_return co_await complete(call, uploads, disk);
  if (method == "GET") co_return co_await list_parts(call, uploads);
  if (method != "DELETE")
    co_return failure("MethodNotAllowed",
                      "The specified method is not allowed against this resource.");
  Status removed = co_await uploads.remove(call.text("uploadId"));
  if (!removed) co_return std::unexpected(failure_of_upload(removed.error(), call));
  call.response.status = 204;
  co_return Outcome{};
}

io::Task<Outcome> list_uploads(Call& call, objects::Uploads& uploads) {
  auto there = co_await call.store.find_bucket(call.bucket);
  if (!there) co_return std::unexpected(failure_of(there.error(), call));
  auto all = co_await uploads.list(call.bucket);
  if (!all) co_return std::unexpected(failure_of(all.error(), call));
  std::string prefix = call.text("prefix");
  std::string xml;
  codec::XmlWriter writer(xml);
  writer.declaration().begin("ListMultipartUploadsResult").attribute("xmlns", xml_namespace);
  writer.element("Bucket", call.bucket).element("KeyMarker", "").element("UploadIdMarker", "");
  writer.element("Prefix", prefix).element("IsTruncated", false);
  for (const objects::UploadFacts& upload : *all) {
    if (!upload.key.starts_with(prefix)) continue;
    writer.begin("Upload").element("Key", upload.key).element("UploadId", upload.id);
    writer.element("StorageClass", "STANDARD");
    writer.element("Initiated", to_rfc3339(upload.created_ms)).end();
  }
  writer.end();
  answer_xml(call, std::move(xml));
  co_return Outcome{};
}

}  // namespace pinpipe::s3
