#include "doors/s3/upload_body.h"

#include <charconv>
#include <memory>

#include "base/bytes.h"
#include "base/hash.h"
#include "doors/s3/aws_chunks.h"
#include "io/files.h"

namespace pinpipe::s3 {
namespace {

constexpr size_t step_bytes = 1 << 20;

Failure bad_body(const Error& error) {
  if (error.code() == Code::denied) return {"SignatureDoesNotMatch", error.text(), {}};
  if (error.code() == Code::invalid) return {"IncompleteBody", error.text(), {}};
  return {"InternalError", error.text(), {}};
}

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = !text.empty() && error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

// Everything that is computed over the bytes, and where they go. The work on a step is done on the
// disk pool when it is large.
class Intake {
 public:
  Intake(Call& call, io::Pool& disk) : call_(call), disk_(disk) {}
  ~Intake() {
    if (file_) (void)io::posix_files().remove(body_.temporary_path);
  }

  Outcome prepare();
  io::Task<Outcome> add(std::string& step);  // clears it
  io::Task<std::expected<UploadBody, Failure>> finish();

  std::optional<AwsChunks> chunks;

 private:
  Outcome choose_checksum();
  Outcome choose_framing();
  Status digest_and_write(std::string_view step);
  Outcome verify();
  Outcome verify_checksum();

  Call& call_;
  io::Pool& disk_;
  UploadBody body_;
  std::unique_ptr<io::File> file_;
  Digest md5_{Digest::Kind::md5};
  std::optional<Digest> sha256_;  // of the payload, when the request's signature covers it
  std::string expected_sha256_;
  std::optional<Checksum> checksum_;
  std::string expected_checksum_;  // in the header; otherwise in the trailer
  std::optional<uint64_t> expected_size_;
};

Outcome Intake::prepare() {
  if (Outcome chosen = choose_framing(); !chosen) return chosen;
  if (!chunks) expected_size_ = number(call_.header("Content-Length"));
  if (expected_size_ && *expected_size_ > UploadBody::body_bytes_max)
    return failure("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
  return choose_checksum();
}

Outcome Intake::choose_framing() {
  std::string_view mode = call_.header("x-amz-content-sha256");
  bool chunked = mode.starts_with("STREAMING-") ||
                 call_.request.headers.lists("Content-Encoding", "aws-chunked");
  if (mode.find("ECDSA") != std::string_view::npos)
    return failure("NotImplemented", "SigV4a is not supported");
  if (chunked) {
    expected_size_ = number(call_.header("x-amz-decoded-content-length"));
    if (!expected_size_)
      return failure("MissingContentLength", "You must provide x-amz-decoded-content-length");
    bool is_signed = mode.starts_with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD") && call_.verified;
    std::optional<auth::ChunkSignatures> signatures;
    if (is_signed) signatures.emplace(*call_.verified);
    chunks.emplace(std::move(signatures), mode.ends_with("-TRAILER"));
  } else if (mode.size() == 64) {
    expected_sha256_ = mode;
    sha256_.emplace(Digest::Kind::sha256);
  } else if (!mode.empty() && mode != auth::unsigned_payload) {
    return failure("InvalidArgument",
                   "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-… or a valid sha256 "
                   "value.");
  }
  return {};
}

Outcome Intake::choose_checksum() {
  for (ChecksumKind kind : checksum_kinds) {
    std::string_view value = call_.header(header_of(kind));
    bool in_trailer = call_.request.headers.lists("x-amz-trailer", header_of(kind));
    if (value.empty() && !in_trailer) continue;
    if (checksum_) return failure("InvalidRequest", "Expecting a single x-amz-checksum- header.");
    checksum_.emplace(kind);
    expected_checksum_ = value;
  }
  return {};
}

io::Task<Outcome> Intake::add(std::string& step) {
  if (step.empty()) co_return Outcome{};
  body_.size += step.size();
  if (body_.size > UploadBody::body_bytes_max)
    co_return failure("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
  if (expected_size_ && body_.size > *expected_size_)
    co_return failure("IncompleteBody", "The body is longer than its announced length");
  if (!file_ && body_.size <= UploadBody::memory_bytes_max) {
    body_.bytes += step;
    step.clear();
    co_return Outcome{};
  }
  std::string all = std::exchange(body_.bytes, {});
  all += step;
  step.clear();
  Status done = co_await disk_.run([&] { return digest_and_write(all); });
  if (!done) co_return std::unexpected(bad_body(done.error()));
  co_return Outcome{};
}

Status Intake::digest_and_write(std::string_view step) {
  md5_.add(step);
  if (sha256_) sha256_->add(step);
  if (checksum_) checksum_->add(step);
  if (!file_) {
    body_.temporary_path = call_.store.new_temporary();
    auto opened = io::posix_files().open(body_.temporary_path, io::OpenMode::create_new);
    if (!opened) return opened.error();
    file_ = std::move(*opened);
  }
  auto at = file_->size();
  return at ? file_->write_at(step, *at) : Status(at.error());
}

io::Task<std::expected<UploadBody, Failure>> Intake::finish() {
  if (chunks && !chunks->is_complete())
    co_return failure("IncompleteBody", "The request body terminated unexpectedly");
  if (expected_size_ && body_.size != *expected_size_)
    co_return failure("IncompleteBody",
                      "You did not provide the number of bytes specified by the length header");
  if (!file_) {
    md5_.add(body_.bytes);
    if (sha256_) sha256_->add(body_.bytes);
    if (checksum_) checksum_->add(body_.bytes);
  }
  body_.md5_hex = to_hex(md5_.finish());
  if (Outcome good = verify(); !good) co_return std::unexpected(good.error());
  file_.reset();
  co_return std::move(body_);
}

Outcome Intake::verify() {
  if (std::string_view given = call_.header("Content-MD5"); !given.empty()) {
    auto raw = from_base64(given);
    if (!raw || raw->size() != 16)
      return failure("InvalidDigest", "The Content-MD5 you specified is not valid.");
    if (to_hex(*raw) != body_.md5_hex)
      return failure("BadDigest", "The Content-MD5 you specified did not match what we received.");
  }
  if (sha256_ && to_hex(sha256_->finish()) != expected_sha256_)
    return failure("XAmzContentSHA256Mismatch",
                   "The provided 'x-amz-content-sha256' header does not match what was computed.");
  return verify_checksum();
}

Outcome Intake::verify_checksum() {
  if (!checksum_) return {};
  std::string name(header_of(checksum_->kind()));
  if (expected_checksum_.empty() && chunks) {
    for (const auto& [trailer, value] : chunks->trailers()) {
      if (trailer == name) expected_checksum_ = value;
    }
  }
  body_.checksum_kind = checksum_->kind();
  body_.checksum = checksum_->base64();
  if (expected_checksum_.empty())
    return failure("MalformedTrailerError", "The announced trailer " + name + " did not come.");
  if (body_.checksum == expected_checksum_) return {};
  return failure("BadDigest", "The " + name.substr(15) +
                                  " you specified did not match the calculated checksum.");
}

}  // namespace

io::Task<std::expected<UploadBody, Failure>> read_body(Call& call, io::Pool& disk) {
  Intake intake(call, disk);
  if (Outcome ready = intake.prepare(); !ready) co_return std::unexpected(ready.error());
  std::string step;
  auto take = [&](std::string_view piece) -> Status {
    if (intake.chunks) return intake.chunks->feed(piece, step);
    step += piece;
    return {};
  };
  if (call.request.body_reader == nullptr) {
    if (Status taken = take(call.request.body); !taken)
      co_return std::unexpected(bad_body(taken.error()));
    Outcome added = co_await intake.add(step);
    if (!added) co_return std::unexpected(added.error());
    co_return co_await intake.finish();
  }
  std::string piece(64 * 1024, '\0');
  while (true) {
    auto got = co_await call.request.body_reader->read_some(piece);
    if (!got) co_return std::unexpected(bad_body(got.error()));
    Status taken = take(std::string_view(piece.data(), *got));
    if (!taken) co_return std::unexpected(bad_body(taken.error()));
    if (*got > 0 && step.size() < step_bytes) continue;
    Outcome added = co_await intake.add(step);
    if (!added) co_return std::unexpected(added.error());
    if (*got == 0) co_return co_await intake.finish();
  }
}

}  // namespace pinpipe::s3
