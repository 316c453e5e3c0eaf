#include "columns/schema.h"

#include <gtest/gtest.h>

namespace pinpipe::columns {
namespace {

TEST(Schema, finds_columns_by_name_and_by_synonym) {
  auto schema = Schema::make({{.name = "index", .type = Type::int32, .synonyms = {"ind"}},
                              {.name = "title", .synonyms = {}}});
  ASSERT_TRUE(schema);
  EXPECT_EQ(schema->find("index"), 0u);
  EXPECT_EQ(schema->find("ind"), 0u);
  EXPECT_EQ(schema->find("title"), 1u);
  EXPECT_EQ(schema->find("Title"), std::nullopt);
}

TEST(Schema, refuses_names_that_mean_two_columns) {
  EXPECT_FALSE(Schema::make({}));
  EXPECT_FALSE(Schema::make({{.name = "", .synonyms = {}}}));
  EXPECT_FALSE(Schema::make({{.name = "a", .synonyms = {}}, {.name = "a", .synonyms = {}}}));
  EXPECT_FALSE(Schema::make({{.name = "a", .synonyms = {"b"}}, {.name = "b", .synonyms = {}}}));
}

TEST(Schema, every_type_is_found_by_its_own_name) {
  for (Type type :
       {Type::int32, Type::int64, Type::float64, Type::text, Type::boolean, Type::timestamp}) {
    EXPECT_EQ(type_named(name_of(type)), type);
  }
  EXPECT_EQ(type_named("string"), Type::text);
  EXPECT_EQ(type_named("blob"), std::nullopt);
}

}  // namespace
}  // namespace pinpipe::columns
