#include "doors/s3/upload_body.h"

#include <charconv>
#include <memory>

#include "base/bytes.h"
#include "base/hash.h"
#include "doors/s3/aws_chunks.h"
#include "io/files.h"
#include "io/wake.h"

namespace pinpipe::s3 {
namespace {

// A body of one step is not written before it is known to be longer.
constexpr size_t step_bytes = UploadBody::memory_bytes_max;
constexpr size_t piece_bytes = 64 * 1024;
constexpr size_t inline_digest_bytes_max = 16 * 1024;

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

// What is computed over the bytes and written of them, on the disk pool, one step after the other
// while the next is received; a step is computed over and written at the same time, because MD5
// takes longer than all the rest. Shared with the pool, so that a call that ends early may leave it
// behind: the file goes with whoever lets go of it last.
struct Work {
  std::string step;  // that is under way
  Digest md5{Digest::Kind::md5};
  std::optional<Digest> sha256;  // of the payload, when the request's signature covers it
  std::optional<Checksum> checksum;
  std::string path;
  std::unique_ptr<io::File> file;
  uint64_t end = 0;

  ~Work() {
    if (file) (void)io::posix_files().remove(path);
  }

  void digest(std::string_view bytes) {
    if (sha256) sha256->add(bytes);
    if (checksum) checksum->add(bytes);
  }
  Status write() {
    if (!file) {
      auto opened = io::posix_files().open(path, io::OpenMode::create_new);
      if (!opened) return opened.error();
      file = std::move(*opened);
    }
    Status written = file->write_at(step, end);
    end += step.size();
    return written;
  }
};

class Intake {
 public:
  Intake(Call& call, io::Pool& disk) : call_(call), disk_(disk) {}

  Outcome prepare();
  // Fills a step with what comes next; one that is not full is the last.
  io::Task<Result<std::string>> receive();
  io::Task<Outcome> add(std::string step);
  io::Task<std::expected<UploadBody, Failure>> finish(std::string last);

 private:
  Outcome choose_checksum();
  Outcome choose_framing();
  Outcome count(const std::string& step);
  io::Task<Status> fill(std::string& step);
  io::Task<Status> fill_unframed(std::string& step);
  io::Task<Outcome> hand_over(std::string step);
  io::Task<Outcome> settle();  // what was handed over is done
  Outcome verify();
  Outcome verify_checksum();

  Call& call_;
  io::Pool& disk_;
  UploadBody body_;
  std::optional<AwsChunks> chunks_;
  std::string piece_;  // of a framed body, as it comes
  std::string spare_;  // the buffer of the step before
  std::shared_ptr<Work> work_ = std::make_shared<Work>();
  struct Pending {
    io::OneShot<Status> written;
    io::OneShot<Status> digested;
  };
  std::optional<Pending> pending_;  // under way on the pool
  std::string expected_sha256_;
  std::string expected_checksum_;  // in the header; otherwise in the trailer
  std::optional<uint64_t> expected_size_;
};

Outcome Intake::prepare() {
  if (Outcome chosen = choose_framing(); !chosen) return chosen;
  if (!chunks_) expected_size_ = number(call_.header("Content-Length"));
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
    chunks_.emplace(std::move(signatures), mode.ends_with("-TRAILER"));
  } else if (mode.size() == 64) {
    expected_sha256_ = mode;
    work_->sha256.emplace(Digest::Kind::sha256);
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
    if (work_->checksum)
      return failure("InvalidRequest", "Expecting a single x-amz-checksum- header.");
    work_->checksum.emplace(kind);
    expected_checksum_ = value;
  }
  return {};
}

io::Task<Result<std::string>> Intake::receive() {
  std::string step = std::exchange(spare_, {});
  step.clear();
  if (call_.request.body_reader == nullptr) {
    Status taken;
    if (chunks_) taken = chunks_->feed(call_.request.body, step);
    if (!chunks_) step = std::move(call_.request.body);
    if (!taken) co_return taken.error();
    co_return step;
  }
  Status filled = chunks_ ? co_await fill_unframed(step) : co_await fill(step);
  if (!filled) co_return filled.error();
  co_return step;
}

// Received where it is hashed and written from.
io::Task<Status> Intake::fill(std::string& step) {
  uint64_t left = expected_size_ ? *expected_size_ - body_.size : step_bytes;
  size_t room = static_cast<size_t>(std::min<uint64_t>(left, step_bytes));
  step.resize_and_overwrite(room, [](char*, size_t size) { return size; });
  size_t have = 0;
  while (have < room) {
    auto got = co_await call_.request.body_reader->read_some(std::span(step).subspan(have));
    if (!got) co_return got.error();
    if (*got == 0) break;
    have += *got;
  }
  step.resize(have);
  co_return Status{};
}

io::Task<Status> Intake::fill_unframed(std::string& step) {
  piece_.resize_and_overwrite(piece_bytes, [](char*, size_t size) { return size; });
  while (step.size() < step_bytes) {
    auto got = co_await call_.request.body_reader->read_some(piece_);
    if (!got) co_return got.error();
    if (*got == 0) break;
    Status taken = chunks_->feed(std::string_view(piece_).substr(0, *got), step);
    if (!taken) co_return taken;
  }
  co_return Status{};
}

Outcome Intake::count(const std::string& step) {
  body_.size += step.size();
  if (body_.size > UploadBody::body_bytes_max)
    return failure("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
  if (expected_size_ && body_.size > *expected_size_)
    return failure("IncompleteBody", "The body is longer than its announced length");
  return {};
}

io::Task<Outcome> Intake::add(std::string step) {
  if (Outcome counted = count(step); !counted) co_return counted;
  co_return co_await hand_over(std::move(step));
}

io::Task<Outcome> Intake::hand_over(std::string step) {
  if (Outcome before = co_await settle(); !before) co_return before;
  if (work_->path.empty()) work_->path = call_.store.new_temporary();
  work_->step = std::move(step);
  auto& [written, digested] = pending_.emplace();
  bool queued = disk_.submit([work = work_, written] { written.set(work->write()); }) &&
                disk_.submit([work = work_, digested] {
                  work->md5.add(work->step);
                  work->digest(work->step);
                  digested.set(Status());
                });
  CHECK(queued, "the disk pool's queue is larger than the connections");
  co_return Outcome{};
}

io::Task<Outcome> Intake::settle() {
  if (!pending_) co_return Outcome{};
  auto written = co_await pending_->written.wait();
  auto digested = co_await pending_->digested.wait();
  pending_.reset();
  for (const auto& done : {written, digested}) {
    if (!done) co_return std::unexpected(bad_body(done.error()));
    if (!*done) co_return std::unexpected(bad_body(done->error()));
  }
  spare_ = std::move(work_->step);
  co_return Outcome{};
}

io::Task<std::expected<UploadBody, Failure>> Intake::finish(std::string last) {
  if (Outcome before = co_await settle(); !before) co_return std::unexpected(before.error());
  if (Outcome counted = count(last); !counted) co_return std::unexpected(counted.error());
  if (chunks_ && !chunks_->is_complete())
    co_return failure("IncompleteBody", "The request body terminated unexpectedly");
  if (expected_size_ && body_.size != *expected_size_)
    co_return failure("IncompleteBody",
                      "You did not provide the number of bytes specified by the length header");
  bool is_small = work_->path.empty() && last.size() <= UploadBody::memory_bytes_max;
  if (is_small) {
    body_.bytes = std::move(last);
    // Whoever stores them takes their MD5 too: here only where there is something to compare.
    bool has_md5 = !call_.header("Content-MD5").empty();
    auto digest = [this, has_md5] {
      work_->digest(body_.bytes);
      return has_md5 ? to_hex(md5(body_.bytes)) : std::string();
    };
    body_.md5_hex = body_.size <= inline_digest_bytes_max ? digest() : co_await disk_.run(digest);
  } else {
    Outcome done = co_await hand_over(std::move(last));
    if (done) done = co_await settle();
    if (!done) co_return std::unexpected(done.error());
    body_.md5_hex = to_hex(work_->md5.finish());
  }
  if (Outcome good = verify(); !good) co_return std::unexpected(good.error());
  work_->file.reset();
  body_.temporary_path = std::move(work_->path);
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
  if (work_->sha256 && to_hex(work_->sha256->finish()) != expected_sha256_)
    return failure("XAmzContentSHA256Mismatch",
                   "The provided 'x-amz-content-sha256' header does not match what was computed.");
  return verify_checksum();
}

Outcome Intake::verify_checksum() {
  if (!work_->checksum) return {};
  std::string name(header_of(work_->checksum->kind()));
  if (expected_checksum_.empty() && chunks_) {
    for (const auto& [trailer, value] : chunks_->trailers()) {
      if (trailer == name) expected_checksum_ = value;
    }
  }
  body_.checksum_kind = work_->checksum->kind();
  body_.checksum = work_->checksum->base64();
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
  while (true) {
    auto step = co_await intake.receive();
    if (!step) co_return std::unexpected(bad_body(step.error()));
    bool is_last = call.request.body_reader == nullptr || step->size() < step_bytes;
    if (is_last) co_return co_await intake.finish(std::move(*step));
    Outcome added = co_await intake.add(std::move(*step));
    if (!added) co_return std::unexpected(added.error());
  }
}

}  // namespace pinpipe::s3
