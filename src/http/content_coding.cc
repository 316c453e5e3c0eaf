#include "http/content_coding.h"

#include "base/ascii.h"
#include "codec/compression.h"
#include "io/peer.h"

namespace pinpipe::http {
namespace {

constexpr size_t gzip_bytes_min = 1024;
constexpr size_t gzip_bytes_max = 512 * 1024;  // what a loop may spend on one answer

// "gzip" anywhere in Accept-Encoding, unless its weight is zero.
bool accepts_gzip(const Headers& headers) {
  auto text = headers.find("Accept-Encoding");
  size_t at = text ? text->find("gzip") : std::string_view::npos;
  if (!text || at == text->npos) return false;
  std::string_view rest = text->substr(at + 4);
  return !rest.starts_with(";q=0") || rest.starts_with(";q=0.");
}

bool is_worth_compressing(std::string_view type) {
  return type.starts_with("text/") || type.find("json") != type.npos ||
         type.find("javascript") != type.npos || type.find("xml") != type.npos;
}

}  // namespace

std::optional<Refusal> undo_encoding(Request& request, size_t bytes_max) {
  auto encoding = request.headers.find("Content-Encoding");
  if (!encoding || encoding->empty() || equal_without_case(*encoding, "identity"))
    return std::nullopt;
  bool is_gzip = equal_without_case(*encoding, "gzip") || equal_without_case(*encoding, "x-gzip");
  if (!is_gzip && !equal_without_case(*encoding, "deflate"))
    return Refusal{415, "The content codings understood are gzip and deflate."};
  auto plain = is_gzip ? codec::decompress(codec::Codec::gzip, request.body, bytes_max)
                       : codec::inflate_zlib(request.body, bytes_max);
  if (plain) {
    request.body = std::move(*plain);
    request.headers.remove("Content-Encoding");
    return std::nullopt;
  }
  if (plain.error().code() == Code::invalid)
    return Refusal{413, "The request's body is too large once it is decompressed."};
  return Refusal{400, "The request's body is not what its Content-Encoding says."};
}

void compress_body(const Request& request, Response& response) {
  size_t size = response.body.size();
  if (size < gzip_bytes_min || size > gzip_bytes_max) return;
  if (response.headers.has("Content-Encoding") || !accepts_gzip(request.headers)) return;
  if (io::is_loopback(request.peer)) return;
  if (!is_worth_compressing(response.headers.find("Content-Type").value_or(""))) return;
  auto packed = codec::compress(codec::Codec::gzip, response.body);
  if (!packed || packed->size() >= size) return;
  response.body = std::move(*packed);
  response.headers.set("Content-Encoding", "gzip");
  response.headers.add("Vary", "Accept-Encoding");
}

}  // namespace pinpipe::http
