#include "codec/cbor.h"

#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <ranges>

#include "base/bytes.h"
#include "base/check.h"
#include "codec/json_text.h"

namespace pinpipe::codec {
namespace {

// The first byte of an item: three bits of major type, five of detail.
enum class Major : uint8_t { positive, negative, bytes, text, array, map, tag, simple };
constexpr uint8_t detail_indefinite = 31;
constexpr uint8_t detail_false = 20, detail_true = 21, detail_null = 22, detail_undefined = 23;
constexpr uint8_t detail_half = 25, detail_single = 26, detail_double = 27;
constexpr uint8_t break_byte = 0xFF;
constexpr uint64_t tag_epoch = 1;

double double_of_half(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 0x3FF;
  double value = exponent == 0    ? std::ldexp(fraction, -24)
                 : exponent == 31 ? (fraction == 0 ? HUGE_VAL : std::nan(""))
                                  : std::ldexp(fraction + 1024, exponent - 25);
  return (bits & 0x8000) != 0 ? -value : value;
}

class CborReader {
 public:
  explicit CborReader(std::string_view bytes) : reader_(bytes), size_(bytes.size()) {}

  bool at_end() const { return reader_.remaining() == 0; }
  Error error(std::string_view what) const {
    return {Code::invalid,
            fmt::format("not valid CBOR: {} before byte {}", what, size_ - reader_.remaining())};
  }

  Result<Cbor> read(size_t depth) {
    if (depth > cbor_depth_max) return error("too many levels");
    auto head = read_head();
    if (!head) return head.error();
    switch (head->major) {
      case Major::positive:
        return Cbor(head->argument);
      case Major::negative:
        if (head->argument > static_cast<uint64_t>(INT64_MAX))
          return error("a number is too small");
        return Cbor(-1 - static_cast<int64_t>(head->argument));
      case Major::bytes:
      case Major::text:
        return read_string(*head);
      case Major::array:
        return read_array(*head, depth);
      case Major::map:
        return read_map(*head, depth);
      case Major::tag:
        return read_tagged(*head, depth);
      case Major::simple:
        return read_simple(*head);
    }
    CHECK(false, "three bits have eight values");
  }

 private:
  struct Head {
    Major major;
    uint8_t detail;
    uint64_t argument;
    bool is_indefinite() const { return detail == detail_indefinite; }
  };

  Result<Head> read_head() {
    const auto first = reader_.be<uint8_t>();
    Head head{static_cast<Major>(first >> 5), static_cast<uint8_t>(first & 31), 0};
    switch (head.detail) {
      case 24:
        head.argument = reader_.be<uint8_t>();
        break;
      case 25:
        head.argument = reader_.be<uint16_t>();
        break;
      case 26:
        head.argument = reader_.be<uint32_t>();
        break;
      case 27:
        head.argument = reader_.be<uint64_t>();
        break;
      case 28:
      case 29:
      case 30:
        return error("a reserved length");
      case detail_indefinite:
        if (head.major < Major::bytes || head.major == Major::tag || head.major == Major::simple) {
          return error("an item that cannot be open-ended");
        }
        break;
      default:
        head.argument = head.detail;
    }
    if (reader_.failed()) return error("the data ends inside an item");
    return head;
  }

  bool take_break() {
    if (reader_.rest().empty() || static_cast<uint8_t>(reader_.rest()[0]) != break_byte)
      return false;
    reader_.take(1);
    return true;
  }
  // Whether another element follows in a collection of which `taken` were read.
  bool has_next(const Head& head, uint64_t taken) {
    return head.is_indefinite() ? !take_break() : taken < head.argument;
  }

  Result<std::string_view> read_chunk(const Head& head) {
    // Past INT64_MAX the cast is negative, which take() refuses.
    std::string_view bytes = reader_.take(static_cast<int64_t>(head.argument));
    if (reader_.failed()) return error("the data ends inside a string");
    if (head.major == Major::text && !is_utf8(bytes)) return error("a text that is not UTF-8");
    return bytes;
  }

  Result<Cbor> read_string(const Head& head) {
    std::string content;
    if (!head.is_indefinite()) {
      auto chunk = read_chunk(head);
      if (!chunk) return chunk.error();
      content = *chunk;
    } else {
      while (!take_break()) {
        auto part = read_head();
        if (!part) return part.error();
        if (part->major != head.major || part->is_indefinite()) return error("a foreign chunk");
        auto chunk = read_chunk(*part);
        if (!chunk) return chunk.error();
        content += *chunk;
      }
    }
    if (head.major == Major::text) return Cbor(std::move(content));
    return Cbor(CborBytes{std::move(content)});
  }

  Result<Cbor> read_array(const Head& head, size_t depth) {
    Cbor::Array elements;  // grows as elements arrive: the claimed length is not trusted
    while (has_next(head, elements.size())) {
      auto element = read(depth + 1);
      if (!element) return element.error();
      elements.push_back(*std::move(element));
    }
    return Cbor(std::move(elements));
  }

  Result<Cbor> read_map(const Head& head, size_t depth) {
    Cbor::Map members;
    while (has_next(head, members.size())) {
      auto key = read(depth + 1);
      if (!key) return key.error();
      auto name = key->as_string();
      if (!name) return error("a key that is not text");
      std::string kept(*name);
      auto value = read(depth + 1);
      if (!value) return value.error();
      members.push_back({std::move(kept), *std::move(value)});
    }
    return Cbor(std::move(members));
  }

  Result<Cbor> read_tagged(const Head& head, size_t depth) {
    auto content = read(depth + 1);
    if (!content || head.argument != tag_epoch) return content;
    if (auto whole = content->as_int()) return Cbor(CborTime{*whole});
    auto real = content->as_double();
    if (!real || !(std::abs(*real) < 0x1p62)) return error("a time that is not a number");
    return Cbor(CborTime{std::llround(*real)});
  }

  Result<Cbor> read_simple(const Head& head) {
    switch (head.detail) {
      case detail_false:
        return Cbor(false);
      case detail_true:
        return Cbor(true);
      case detail_null:
      case detail_undefined:
        return Cbor();
      case detail_half:
        return Cbor(double_of_half(static_cast<uint16_t>(head.argument)));
      case detail_single:
        return Cbor(
            static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(head.argument))));
      case detail_double:
        return Cbor(std::bit_cast<double>(head.argument));
      default:
        return error("an unknown simple value");
    }
  }

  Reader reader_;
  size_t size_;
};

void append_head(std::string& out, Major major, uint64_t argument) {
  const auto top = static_cast<uint8_t>(static_cast<uint8_t>(major) << 5);
  auto first = [&](uint8_t detail) { out.push_back(static_cast<char>(top | detail)); };
  if (argument < 24) {
    first(static_cast<uint8_t>(argument));
  } else if (argument <= UINT8_MAX) {
    first(24);
    append_be(out, static_cast<uint8_t>(argument));
  } else if (argument <= UINT16_MAX) {
    first(25);
    append_be(out, static_cast<uint16_t>(argument));
  } else if (argument <= UINT32_MAX) {
    first(26);
    append_be(out, static_cast<uint32_t>(argument));
  } else {
    first(27);
    append_be(out, argument);
  }
}

void append_integer(std::string& out, int64_t value) {
  if (value >= 0) {
    append_head(out, Major::positive, static_cast<uint64_t>(value));
  } else {
    append_head(out, Major::negative, static_cast<uint64_t>(-(value + 1)));
  }
}

void append_simple(std::string& out, uint8_t detail) {
  out.push_back(static_cast<char>(0xE0 | detail));
}

}  // namespace

std::optional<bool> Cbor::as_bool() const {
  if (auto* value = std::get_if<bool>(&value_)) return *value;
  return std::nullopt;
}
std::optional<int64_t> Cbor::as_int() const {
  if (auto* value = std::get_if<int64_t>(&value_)) return *value;
  return std::nullopt;
}
std::optional<double> Cbor::as_double() const {
  if (auto* value = std::get_if<double>(&value_)) return *value;
  if (auto* value = std::get_if<int64_t>(&value_)) return static_cast<double>(*value);
  if (auto* value = std::get_if<uint64_t>(&value_)) return static_cast<double>(*value);
  return std::nullopt;
}
std::optional<std::string_view> Cbor::as_string() const {
  if (auto* value = std::get_if<std::string>(&value_)) return *value;
  return std::nullopt;
}
std::optional<std::string_view> Cbor::as_bytes() const {
  if (auto* value = std::get_if<CborBytes>(&value_)) return value->bytes;
  return std::nullopt;
}
std::optional<CborTime> Cbor::as_time() const {
  if (auto* value = std::get_if<CborTime>(&value_)) return *value;
  return std::nullopt;
}
const Cbor::Array& Cbor::elements() const {
  static const Array none;
  auto* value = std::get_if<Array>(&value_);
  return value != nullptr ? *value : none;
}
const Cbor::Map& Cbor::members() const {
  static const Map none;
  auto* value = std::get_if<Map>(&value_);
  return value != nullptr ? *value : none;
}
const Cbor* Cbor::find(std::string_view key) const {
  for (const CborMember& member : std::views::reverse(members())) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}
Cbor& Cbor::add(std::string_view key, Cbor value) {
  if (is_null()) value_ = Map();
  auto* members = std::get_if<Map>(&value_);
  CHECK(members != nullptr, "add() is called on a map");
  members->push_back({std::string(key), std::move(value)});
  return *this;
}
bool Cbor::operator==(const Cbor& other) const = default;

Result<Cbor> parse_cbor(std::string_view bytes) {
  if (bytes.size() > cbor_bytes_max) {
    return Error(Code::invalid, fmt::format("CBOR of {} bytes is over the limit of {} bytes",
                                            bytes.size(), cbor_bytes_max));
  }
  CborReader reader(bytes);
  auto value = reader.read(1);
  if (value && !reader.at_end()) return reader.error("more data after the value");
  return value;
}

void append_cbor(std::string& out, const Cbor& value) {
  struct Writer {
    std::string& out;
    void operator()(std::monostate) { append_simple(out, detail_null); }
    void operator()(bool flag) { append_simple(out, flag ? detail_true : detail_false); }
    void operator()(int64_t number) { append_integer(out, number); }
    void operator()(uint64_t number) { append_head(out, Major::positive, number); }
    void operator()(double number) {
      append_simple(out, detail_double);
      append_be(out, std::bit_cast<uint64_t>(number));
    }
    void operator()(const std::string& text) {
      append_head(out, Major::text, text.size());
      out += text;
    }
    void operator()(const CborBytes& blob) {
      append_head(out, Major::bytes, blob.bytes.size());
      out += blob.bytes;
    }
    void operator()(CborTime time) {
      append_head(out, Major::tag, tag_epoch);
      append_integer(out, time.value);
    }
    void operator()(const Cbor::Array& elements) {
      append_head(out, Major::array, elements.size());
      for (const Cbor& element : elements) append_cbor(out, element);
    }
    void operator()(const Cbor::Map& members) {
      append_head(out, Major::map, members.size());
      for (const CborMember& member : members) {
        (*this)(member.key);
        append_cbor(out, member.value);
      }
    }
  };
  std::visit(Writer{out}, value.value_);
}

CborWriter& CborWriter::begin_map() {
  out_.push_back(static_cast<char>(static_cast<int>(Major::map) << 5 | detail_indefinite));
  return *this;
}
CborWriter& CborWriter::begin_array() {
  out_.push_back(static_cast<char>(static_cast<int>(Major::array) << 5 | detail_indefinite));
  return *this;
}
CborWriter& CborWriter::end() {
  out_.push_back(static_cast<char>(break_byte));
  return *this;
}
CborWriter& CborWriter::text(std::string_view text) {
  append_head(out_, Major::text, text.size());
  out_ += text;
  return *this;
}
CborWriter& CborWriter::bytes(std::string_view bytes) {
  append_head(out_, Major::bytes, bytes.size());
  out_ += bytes;
  return *this;
}
CborWriter& CborWriter::integer(int64_t number) {
  append_integer(out_, number);
  return *this;
}
CborWriter& CborWriter::boolean(bool flag) {
  append_simple(out_, flag ? detail_true : detail_false);
  return *this;
}
CborWriter& CborWriter::time(int64_t value) {
  append_head(out_, Major::tag, tag_epoch);
  append_integer(out_, value);
  return *this;
}

}  // namespace pinpipe::codec
