// Objects of a bucket as rows: whatever the bytes, every value is a row or refused, never both and
// never neither; how many rows a target takes at once, which columns it wants and where a piece is
// cut changes nothing; and what became a row was JSON.
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "codec/json_scan.h"
#include "columns/batch.h"
#include "columns/json_decoder.h"

using namespace pinpipe;

namespace {

using columns::Type;

const columns::Schema& schema() {
  static const columns::Schema made = *columns::Schema::make(
      {{.name = "i", .type = Type::int32, .nullable = true, .synonyms = {"ind"}},
       {.name = "l", .type = Type::int64, .nullable = true, .synonyms = {}},
       {.name = "d", .type = Type::float64, .nullable = true, .synonyms = {}},
       {.name = "t", .type = Type::text, .nullable = true, .synonyms = {}},
       {.name = "b", .type = Type::boolean, .nullable = true, .synonyms = {}},
       {.name = "at", .type = Type::timestamp, .nullable = true, .synonyms = {}}});
  return made;
}

struct Outcome {
  std::string rows;
  std::string refused;
  columns::Counts counts;

  bool operator==(const Outcome& other) const {
    return rows == other.rows && refused == other.refused && counts.lines == other.counts.lines &&
           counts.values == other.counts.values && counts.rows == other.counts.rows;
  }
};

void append_rows(std::string& out, const columns::Batch& batch, size_t rows) {
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < schema().size(); ++column) {
      std::string cell = "null";
      switch (schema().columns()[column].type) {
        case Type::text:
          if (auto text = batch.text(column, row)) cell = "'" + *text;
          break;
        case Type::float64:
          if (auto number = batch.number(column, row)) cell = std::to_string(*number);
          break;
        case Type::boolean:
          if (auto truth = batch.boolean(column, row)) cell = *truth ? "true" : "false";
          break;
        default:
          if (auto number = batch.integer(column, row)) cell = std::to_string(*number);
      }
      out += cell + "|";
    }
    out += "\n";
  }
}

// The pieces one after the other through one decoder, `rows_max` rows at a time.
Outcome outcome_of(const std::vector<std::string_view>& pieces, size_t rows_max) {
  Outcome outcome;
  columns::JsonDecoder decoder(schema(), [&](const columns::Refused& refused) {
    CHECK(!refused.reason.empty(), "a refusal says why");
    outcome.refused += std::to_string(refused.line) + " " + std::string(refused.reason) + "\n";
  });
  uint64_t line = 1;
  for (std::string_view piece : pieces) {
    decoder.start("piece", piece, line);
    for (size_t rows = rows_max; rows == rows_max;) {
      columns::Batch batch(schema(), rows_max);
      rows = decoder.fill(batch.target(), 0);
      append_rows(outcome.rows, batch, rows);
    }
    for (char c : piece) line += c == '\n' ? 1 : 0;
  }
  outcome.counts = decoder.counts();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Outcome whole = outcome_of({text}, 64);
  CHECK(whole.counts.rows + whole.counts.refused == whole.counts.values, "each value counts once");
  CHECK(whole == outcome_of({text}, 1), "rows that come one by one are the same");
  size_t cut = text.find('\n', size / 2);
  if (cut != std::string_view::npos) {
    CHECK(whole == outcome_of({text.substr(0, cut + 1), text.substr(cut + 1)}, 7),
          "a piece may be cut between lines");
  }
  // Nothing is wanted: the same is refused.
  Outcome counted;
  columns::JsonDecoder decoder(schema(), [](const columns::Refused&) {});
  columns::Target target;
  target.columns.resize(schema().size());
  target.rows_max = 16;
  decoder.start("piece", text);
  while (decoder.fill(target, 0) == target.rows_max) continue;
  CHECK(decoder.counts().refused == whole.counts.refused, "what is wanted changes no refusal");
  std::string compact;
  bool is_one_object = text.starts_with('{') && text.find('\n') == std::string_view::npos;
  if (is_one_object && whole.counts.rows == 1)
    CHECK(codec::compact_json(text, compact), "a row was JSON");
  return 0;
}
