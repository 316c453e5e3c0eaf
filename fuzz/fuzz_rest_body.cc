// A produce body is taken for JSON exactly when another parser, RapidJSON, takes it for JSON; and
// what would be stored of a value means the same to that parser as what was sent.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/json.h"
#include "codec/json_scan.h"
#include "doors/rest/record_body.h"

// The other parser reports what it takes for a bug by assertion.
#define RAPIDJSON_ASSERT(condition) CHECK(condition, "RapidJSON is used as it asks to be")
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

using namespace pinpipe;

namespace {

// Without recursion, numbers as they are spelled, UTF-8 checked.
constexpr unsigned strict = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                            rapidjson::kParseNumbersAsStringsFlag;

enum class Verdict { json, not_json, undecided };

size_t depth_of(std::string_view text) {
  size_t depth = 0;
  size_t most = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      most = std::max(most, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return most;
}

Verdict judge(std::string_view text, std::string* canonical) {
  // It takes a zero byte for the end of the text; JSON has none.
  if (text.find('\0') != text.npos) return Verdict::not_json;
  // It reads on past the end after the first byte of a longer character.
  std::string ended(text);
  ended.append(4, '\0');
  rapidjson::StringStream stream(ended.c_str());
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  rapidjson::Reader reader;
  reader.Parse<strict>(stream, writer);
  if (reader.HasParseError()) {
    // The grammar allows halves of surrogate pairs and exponents of any size, which it refuses:
    // nothing to compare.
    auto why = reader.GetParseErrorCode();
    bool beyond_it = why == rapidjson::kParseErrorStringUnicodeSurrogateInvalid ||
                     why == rapidjson::kParseErrorNumberTooBig;
    return beyond_it ? Verdict::undecided : Verdict::not_json;
  }
  if (depth_of(text) > codec::json_depth_max) return Verdict::not_json;
  if (canonical != nullptr) canonical->assign(buffer.GetString(), buffer.GetSize());
  return Verdict::json;
}

bool says_not_json(const std::optional<rest::Refusal>& refusal) {
  return refusal && refusal->text.starts_with("Bad Request: the body is not JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  rest::RecordBody body;
  auto refusal = body.read(text, rest::Embedded::json, std::nullopt);
  bool is_blank = text.find_first_not_of(" \t\r\n") == text.npos;
  if (Verdict verdict = judge(text, nullptr); verdict != Verdict::undecided && !is_blank)
    CHECK(says_not_json(refusal) == (verdict == Verdict::not_json), "both agree on what is JSON");

  // The same bytes as a record's value, where the envelope is always right.
  std::string sent;
  Verdict verdict = judge(text, &sent);
  if (verdict == Verdict::undecided || depth_of(text) + 3 > codec::json_depth_max) return 0;
  std::string wrapped = "{\"records\":[{\"value\":" + std::string(text) + "}]}";
  refusal = body.read(wrapped, rest::Embedded::json, std::nullopt);
  if (verdict == Verdict::not_json) return 0;  // it may have closed the envelope itself
  CHECK(!refusal && body.records().size() == 1, "what is JSON is a value");
  std::string stored;
  auto value = body.records()[0].value;
  if (!value) {
    CHECK(sent == "null", "only null is no value");
    return 0;
  }
  CHECK(judge(*value, &stored) == Verdict::json && stored == sent, "what is stored means the same");
  return 0;
}
