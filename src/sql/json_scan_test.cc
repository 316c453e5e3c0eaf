#include "sql/json_scan.h"

#include <gmock/gmock.h>

#include "sql/engine_fixture.h"

namespace pinpipe::sql {
namespace {

using columns::Column;
using columns::Refused;
using columns::Schema;
using columns::Type;
using testing::HasSubstr;

class JsonScanTest : public EngineTest {
 protected:
  JsonInput input(std::vector<std::string> objects) {
    JsonInput input;
    input.schema = std::make_shared<Schema>(
        *Schema::make({Column{.name = "ind", .type = Type::int32, .synonyms = {"index"}},
                       Column{.name = "title", .synonyms = {}},
                       Column{.name = "latitude", .type = Type::float64, .synonyms = {}},
                       Column{.name = "at", .type = Type::timestamp, .synonyms = {}},
                       Column{.name = "ok", .type = Type::boolean, .synonyms = {}},
                       Column{.name = "big", .type = Type::int64, .synonyms = {}}}));
    auto kept = std::make_shared<std::vector<std::string>>(std::move(objects));
    input.open = [kept] {
      std::vector<Piece> pieces;
      for (size_t i = 0; i < kept->size(); ++i) {
        pieces.push_back(
            {.source = "object-" + std::to_string(i), .bytes = (*kept)[i], .keep = kept});
      }
      return pieces_of(std::move(pieces));
    };
    input.on_refused = [this](const Refused& refused) {
      refused_.push_back(std::string(refused.source) + ":" + std::to_string(refused.line) + " " +
                         std::string(refused.reason));
    };
    return input;
  }

  std::vector<std::string> refused_;
};

TEST_F(JsonScanTest, objects_become_rows_of_every_type) {
  auto scan = connection_->create_json_view(
      {"raw", "pin"},
      input({R"({"ind":1,"title":"short","latitude":-1.5,"at":"2022-05-27T11:30:59",)"
             R"("ok":true,"big":7})",
             R"({"index":2,"title":"a text of more than twelve bytes"})"}));
  ASSERT_TRUE(scan) << scan.error().text();
  EXPECT_EQ(answer("select * from raw.pin order by ind"),
            "1|short|-1.5|2022-05-27 11:30:59|true|7\n2|a text of more than twelve bytes||||");
  EXPECT_EQ(answer("select count(*) from raw.pin"), "2");
  EXPECT_EQ(answer("select big, ind from raw.pin where title = 'short'"), "7|1");
}

TEST_F(JsonScanTest, refused_values_are_handed_out_once_and_counted_always) {
  auto scan = connection_->create_json_view(
      {"raw", "pin"},
      input({"{\"ind\":1}\n{\"ind\":\"x\"}\n[{\"ind\":2},{\"ind\":3}]\n", "nonsense"}));
  ASSERT_TRUE(scan);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(answer("select count(*), sum(ind) from raw.pin"), "3|6");
    EXPECT_EQ((*scan)->counts().lines, 4u);
    EXPECT_EQ((*scan)->counts().rows, 3u);
    EXPECT_EQ((*scan)->counts().refused, 2u);
  }
  std::sort(refused_.begin(), refused_.end());
  EXPECT_THAT(refused_, testing::ElementsAre("object-0:2 column ind: cannot read x as integer",
                                             "object-1:1 not a JSON object"));
}

TEST_F(JsonScanTest, records_tell_where_they_came_from) {
  ASSERT_TRUE(connection_->create_json_view(
      {"raw", "pin"}, input({"{\"ind\":1}\n\n{\"ind\": 2}\n", "{\"ind\":3}"})));
  EXPECT_EQ(answer("select _source, _line, _bytes from raw.pin_records order by ind"),
            "object-0|1|{\"ind\":1}\nobject-0|3|{\"ind\": 2}\nobject-1|1|{\"ind\":3}");
}

TEST_F(JsonScanTest, a_large_object_is_cut_between_lines_and_keeps_its_line_numbers) {
  std::string bytes;
  const int rows = 100'000;
  for (int i = 0; i < rows; ++i) {
    bytes += "{\"ind\":" + std::to_string(i) + ",\"title\":\"" + std::string(i % 50, 'x') + "\"}\n";
  }
  ASSERT_GT(bytes.size(), 2 * JsonScan::part_bytes_target);
  auto scan = connection_->create_json_view({"raw", "pin"}, input({bytes}));
  EXPECT_EQ(answer("select count(*), count(distinct ind), sum(length(title)), "
                   "count_if(_line <> ind + 1) from raw.pin_records"),
            "100000|100000|2450000|0");
  EXPECT_EQ((*scan)->counts().rows, static_cast<uint64_t>(rows));
}

TEST_F(JsonScanTest, thousands_of_small_objects_fill_whole_vectors) {
  std::vector<std::string> objects;
  for (int i = 0; i < 10'000; ++i) objects.push_back("{\"ind\":" + std::to_string(i) + "}\n");
  auto counts = connection_->load_json({"raw", "pin"}, input(std::move(objects)));
  ASSERT_TRUE(counts) << counts.error().text();
  EXPECT_EQ(counts->rows, 10'000u);
  EXPECT_EQ(answer("select sum(ind) from raw.pin"), "49995000");
}

// Values point into the pieces. Here a piece is overwritten when nobody keeps it any more, which is
// often in the middle of a query: whatever the query does with the values, it must not see that.
TEST_F(JsonScanTest, values_stay_right_after_their_piece_is_gone) {
  class Scribbled : public Pieces {
   public:
    Result<std::optional<Piece>> next() override {
      if (at_ == 300) return std::optional<Piece>();
      auto* bytes = new std::string;
      for (int i = 0; i < 97; ++i) {
        int ind = at_ * 97 + i;
        *bytes += "{\"ind\":" + std::to_string(ind) + ",\"title\":\"a title of post number " +
                  std::to_string(ind) + "\"}\n";
      }
      // Padding, so that no line is copied for standing at the end.
      *bytes += std::string(100, ' ');
      ++at_;
      std::shared_ptr<const void> keep(bytes, [](std::string* gone) {
        std::fill(gone->begin(), gone->end(), '#');
        delete gone;
      });
      return std::optional(Piece{.source = "scribbled", .bytes = *bytes, .keep = std::move(keep)});
    }

   private:
    int at_ = 0;
  };
  JsonInput scribbled = input({});
  scribbled.open = [] { return std::make_unique<Scribbled>(); };
  ASSERT_TRUE(connection_->create_json_view({"raw", "pin"}, scribbled));
  const std::string wrong = "count_if(title <> 'a title of post number ' || ind)";
  for (const std::string& sql : {
           "select " + wrong + " from raw.pin",
           "select " + wrong + " from (select * from raw.pin order by title)",
           "select " + wrong +
               " from (select ind, any_value(title) as title from raw.pin group by ind)",
           "select " + wrong + " from (select title, min(ind) as ind from raw.pin group by title)",
           "select " + wrong +
               " from (select a.ind, b.title from raw.pin a join raw.pin b using (ind))",
           "select " + wrong +
               " from (select a.ind, b.title from raw.pin a left join raw.pin b on a.title = "
               "b.title)",
           "select " + wrong +
               " from (select unnest(list(ind)) as ind, unnest(list(title)) as title from raw.pin)",
           "select " + wrong +
               " from (select ind, max(title) over (partition by ind) as title from raw.pin)",
           "select " + wrong +
               " from (select ind, substr(title, 1) as title from raw.pin where ind % 7 = 1)",
           "select " + wrong +
               " from (select ind, trim(title) as title from raw.pin union all from raw.pin select "
               "ind, title)",
           "select " + wrong +
               " from (select arg_max(ind, ind) as ind, arg_max(title, ind) as title from raw.pin)",
           "select " + wrong + " from (select distinct on (ind) ind, title from raw.pin)",
           "select " + wrong + " from (select * from raw.pin limit 20000 offset 3000)",
       }) {
    EXPECT_EQ(answer(sql), "0") << sql;
  }
  size_t wrong_rows = 0;
  size_t rows = 0;
  auto streamed = connection_->stream(
      "select ind, title from raw.pin", [](std::span<const ColumnHead>) {},
      [&](std::span<const Row> some) {
        for (const Row& row : some) {
          wrong_rows += to_text(row[1]) != "a title of post number " + to_text(row[0]) ? 1 : 0;
        }
        rows += some.size();
        return true;
      });
  ASSERT_TRUE(streamed) << streamed.error().text();
  EXPECT_EQ(rows, 300u * 97);
  EXPECT_EQ(wrong_rows, 0u);
}

TEST_F(JsonScanTest, a_source_that_fails_fails_the_query_with_its_words) {
  class Broken : public Pieces {
    Result<std::optional<Piece>> next() override {
      return Error(Code::unavailable, "the bucket is on fire");
    }
  };
  JsonInput broken = input({});
  broken.open = [] { return std::make_unique<Broken>(); };
  ASSERT_TRUE(connection_->create_json_view({"raw", "pin"}, broken));
  EXPECT_THAT(answer("select * from raw.pin"), HasSubstr("the bucket is on fire"));
  EXPECT_EQ(answer("select 1"), "1");
}

TEST_F(JsonScanTest, a_load_ends_when_its_owner_gives_up) {
  class Endless : public Pieces {
   public:
    explicit Endless(std::stop_source stop) : stop_(std::move(stop)) {}
    Result<std::optional<Piece>> next() override {
      if (++count_ == 100) stop_.request_stop();
      return std::optional(Piece{.source = "endless", .bytes = "{\"ind\":1}\n", .keep = nullptr});
    }

   private:
    std::stop_source stop_;
    int count_ = 0;
  };
  std::stop_source stop;
  JsonInput endless = input({});
  endless.open = [stop] { return std::make_unique<Endless>(stop); };
  endless.stop = stop.get_token();
  auto counts = connection_->load_json({"raw", "pin"}, endless);
  ASSERT_FALSE(counts);
  EXPECT_EQ(counts.error().code(), Code::cancelled);
}

}  // namespace
}  // namespace pinpipe::sql
