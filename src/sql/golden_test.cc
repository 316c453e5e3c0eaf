// The golden sets: real rows through the project's own SQL, compared with the answers that people
// got.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <sstream>

#include "columns/schema.h"
#include "sql/connection.h"

namespace pinpipe::sql {
namespace {

namespace fs = std::filesystem;

const fs::path source_dir = PINPIPE_SOURCE_DIR;
const fs::path golden_dir = source_dir / "../shared/golden";

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// One column of datasets/*.yaml as the schema wants it.
columns::Column column(std::string name, columns::Type type,
                       std::vector<std::string> synonyms = {}) {
  return {.name = std::move(name), .type = type, .nullable = true, .synonyms = std::move(synonyms)};
}

columns::Schema schema_of(const std::string& dataset) {
  using enum columns::Type;
  if (dataset == "pin") {
    return *columns::Schema::make(
        {column("index", int32, {"ind"}), column("unique_id", text), column("title", text),
         column("description", text), column("poster_name", text), column("follower_count", text),
         column("tag_list", text), column("is_image_or_video", text), column("image_src", text),
         column("downloaded", int32), column("save_location", text), column("category", text)});
  }
  if (dataset == "geo") {
    return *columns::Schema::make({column("ind", int32, {"index"}), column("timestamp", text),
                                   column("latitude", float64), column("longitude", float64),
                                   column("country", text)});
  }
  return *columns::Schema::make({column("ind", int32, {"index"}), column("first_name", text),
                                 column("last_name", text), column("age", int32),
                                 column("date_joined", text)});
}

// The rows of a CSV file with quotes; the first is the header.
std::vector<std::vector<std::string>> read_csv(const fs::path& path) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  std::string cell;
  bool quoted = false;
  for (char c : read(path)) {
    if (quoted && c != '"') {
      cell += c;
    } else if (c == '"') {
      // A doubled quote closes and opens again, which leaves one of the two.
      if (!quoted && !cell.empty()) cell += '"';
      quoted = !quoted;
    } else if (c == ',') {
      row.push_back(std::exchange(cell, ""));
    } else if (c == '\n') {
      row.push_back(std::exchange(cell, ""));
      rows.push_back(std::exchange(row, {}));
    } else if (c != '\r') {
      cell += c;
    }
  }
  return rows;
}

using Lines = std::vector<std::vector<std::string>>;

// Which files of the project stand in for others, as the overlays in tests/golden say it.
using Variants = std::map<std::string, std::string>;

Variants notebook_rules(const std::string& set) {
  Variants variants = {{"sql/queries/q1.sql", "sql/variants/q1_ties.sql"},
                       {"sql/queries/q3a.sql", "sql/variants/q3a_ties.sql"},
                       {"sql/queries/q4.sql", "sql/variants/q4_ties.sql"}};
  if (set == "A") variants["sql/tables/age_groups.sql"] = "sql/variants/age_groups_from_26.sql";
  return variants;
}

const Variants distinct_rows = {{"sql/clean/pin.sql", "sql/variants/pin_distinct.sql"},
                                {"sql/clean/geo.sql", "sql/variants/geo_distinct.sql"},
                                {"sql/clean/user.sql", "sql/variants/user_distinct.sql"}};

// A whole set: loaded, cleaned, ready for questions.
class Golden {
 public:
  Golden(const std::string& set, Variants variants) : variants_(std::move(variants)) {
    auto engine = Engine::open({.temp_root = testing::TempDir(), .readable_directories = {}});
    EXPECT_TRUE(engine) << engine.error().text();
    engine_ = std::move(*engine);
    connection_ = std::move(*engine_->connect());
    for (std::string dataset : {"pin", "geo", "user"}) load(set, dataset);
    auto made = connection_->create_table({"main", "age_groups"}, sql("sql/tables/age_groups.sql"));
    EXPECT_TRUE(made) << made.error().text();
  }

  std::string sql(const std::string& path) const {
    auto variant = variants_.find(path);
    return read(source_dir / "projects/pinterest" /
                (variant == variants_.end() ? path : variant->second));
  }

  Table ask(const std::string& path) {
    auto table = connection_->ask(sql(path), {.rows_max = 100'000});
    EXPECT_TRUE(table) << path << ": " << table.error().text();
    return table ? std::move(*table) : Table();
  }

  Connection& connection() { return *connection_; }

 private:
  void load(const std::string& set, const std::string& dataset) {
    std::string bytes = read(golden_dir / set / (dataset + ".jsonl"));
    size_t lines = static_cast<size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    JsonInput input;
    input.schema = std::make_shared<columns::Schema>(schema_of(dataset));
    input.open = [&bytes] {
      return pieces_of({{.source = "golden", .bytes = bytes, .first_line = 1, .keep = nullptr}});
    };
    auto scan = connection_->create_json_view({"raw", dataset}, input);
    ASSERT_TRUE(scan) << scan.error().text();
    auto rows = connection_->create_table({"clean", dataset}, sql("sql/clean/" + dataset + ".sql"));
    ASSERT_TRUE(rows) << dataset << ": " << rows.error().text();
    EXPECT_EQ((*scan)->counts().lines, lines);
    EXPECT_EQ((*scan)->counts().rows, lines);
    EXPECT_EQ((*scan)->counts().refused, 0u);
  }

  Variants variants_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Connection> connection_;
};

Lines sorted(Lines lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

Lines lines_of(const Table& table) {
  Lines lines(1);
  for (const ColumnHead& column : table.columns) lines[0].push_back(column.name);
  for (const Row& row : table.rows) {
    lines.emplace_back();
    for (const Value& value : row) lines.back().push_back(to_text(value));
  }
  return lines;
}

// Equal as sets of rows; the column names are the first row of both.
void expect_equal(const Table& answer, const fs::path& file) {
  Lines expected = read_csv(file);
  Lines found = lines_of(answer);
  ASSERT_FALSE(expected.empty());
  EXPECT_EQ(found[0], expected[0]) << file;
  EXPECT_EQ(sorted(found), sorted(expected)) << file;
}

// Every row that the notebook printed is in the answer, compared by the columns it printed.
void expect_contains(const Table& answer, const fs::path& file) {
  Lines printed = read_csv(file);
  std::vector<size_t> places;
  for (const std::string& name : printed[0]) {
    ASSERT_GE(answer.column(name), 0) << file;
    places.push_back(static_cast<size_t>(answer.column(name)));
  }
  Lines found;
  for (const Row& row : answer.rows) {
    found.emplace_back();
    for (size_t place : places) found.back().push_back(to_text(row[place]));
  }
  for (size_t i = 1; i < printed.size(); ++i) {
    EXPECT_NE(std::find(found.begin(), found.end(), printed[i]), found.end())
        << file << " row " << i << ": " << testing::PrintToString(printed[i]);
  }
}

const std::vector<std::string> questions = {"q1", "q2", "q3a", "q3b", "q4", "q5", "q6", "q7", "q8"};

class GoldenTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!fs::exists(golden_dir)) GTEST_SKIP() << "no golden sets at " << golden_dir;
  }
};

TEST_P(GoldenTest, the_default_rules_give_the_standard_answers) {
  Golden golden(GetParam(), {});
  for (const std::string& q : questions) {
    expect_equal(golden.ask("sql/queries/" + q + ".sql"),
                 golden_dir / GetParam() / "expected_standard" / (q + ".csv"));
  }
  expect_equal(golden.ask("sql/variants/q2_top.sql"),
               golden_dir / GetParam() / "expected_standard/q2_top.csv");
}

TEST_P(GoldenTest, the_rules_of_the_notebook_give_what_it_printed) {
  std::string set = GetParam();
  Golden golden(set, notebook_rules(set));
  for (const std::string& q : questions) {
    Table answer = golden.ask("sql/queries/" + q + ".sql");
    expect_equal(answer, golden_dir / set / "expected" / (q + ".csv"));
    expect_contains(answer, golden_dir / set / "expected" / ("printed_" + q + ".csv"));
  }
  expect_equal(golden.ask("sql/variants/q2_top_ties.sql"),
               golden_dir / set / "expected/q2_top.csv");
}

TEST_P(GoldenTest, equal_rows_kept_once_give_the_answers_without_repetition) {
  Golden golden(GetParam(), distinct_rows);
  for (const std::string& q : questions) {
    expect_equal(golden.ask("sql/queries/" + q + ".sql"),
                 golden_dir / GetParam() / "expected_dedup" / (q + ".csv"));
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, GoldenTest, testing::Values("A", "B"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace pinpipe::sql
