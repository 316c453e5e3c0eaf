#include "lake/tombstones.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>

#include "base/random.h"
#include "codec/json_scan.h"
#include "kit/seed.h"

namespace pinpipe::lake {
namespace {

using Told = std::map<std::string, int64_t>;  // when each file was removed

Told told(const Tombstones& tombstones) {
  Told all;
  codec::JsonScanner scanner;
  tombstones.each([&](const Tombstones::Line& line) {
    Actions actions;
    ASSERT_TRUE(decode_line(scanner, line.text, actions)) << line.text;
    ASSERT_EQ(actions.removes.size(), 1U);
    ASSERT_EQ(actions.removes[0].deleted_ms, line.deleted_ms);
    bool is_new = all.emplace(actions.removes[0].path, line.deleted_ms).second;
    EXPECT_TRUE(is_new) << "twice there: " << actions.removes[0].path;
  });
  EXPECT_EQ(all.size(), tombstones.size());
  return all;
}

RemoveFile removed(std::string path, int64_t ms) {
  return RemoveFile{.path = std::move(path), .deleted_ms = ms};
}

TEST(TombstonesTest, holds_what_a_map_of_paths_would_whatever_happens) {
  Random random(kit::seed());
  Tombstones tombstones;
  Told expected;
  for (int64_t now_ms = 1; now_ms <= 20'000; ++now_ms) {
    std::string path = fmt::format("part-{}-\"{}\".parquet", random.below(3'000), "ü");
    if (random.below(3) > 0) {
      tombstones.put(removed(path, now_ms));
      expected[path] = now_ms;
    } else {
      tombstones.erase({path, {}});
      expected.erase(path);
    }
    EXPECT_EQ(tombstones.contains({path, {}}), expected.contains(path));
    if (random.below(2'000) != 0) continue;
    const int64_t until_ms = now_ms - 1'500;
    tombstones.forget(until_ms);
    std::erase_if(expected, [&](const auto& one) { return one.second <= until_ms; });
    EXPECT_FALSE(tombstones.has_any_until(until_ms));
    EXPECT_EQ(told(tombstones), expected);
  }
  EXPECT_EQ(told(tombstones), expected);
}

TEST(TombstonesTest, a_copy_keeps_what_it_had) {
  Tombstones before;
  for (int i = 0; i < 5'000; ++i) before.put(removed(fmt::format("f{}", i), i + 1));
  const Told expected = told(before);
  Tombstones one = before;
  Tombstones other = before;
  one.put(removed("mine", 9));
  other.put(removed("yours", 9));
  for (int i = 0; i < 5'000; ++i) one.erase({fmt::format("f{}", i), {}});
  EXPECT_EQ(told(before), expected);
  EXPECT_EQ(told(one), (Told{{"mine", 9}}));
  EXPECT_EQ(other.size(), 5'001U);
  EXPECT_TRUE(other.contains({"yours", {}}));
  EXPECT_FALSE(other.contains({"mine", {}}));
}

TEST(TombstonesTest, the_same_file_with_another_deletion_vector_is_another) {
  Tombstones tombstones;
  const std::string vector =
      R"({"storageType":"i","pathOrInlineDv":"abc","sizeInBytes":3,"cardinality":1})";
  codec::JsonScanner scanner;
  Actions actions;
  ASSERT_TRUE(decode_line(scanner,
                          R"({"remove":{"path":"f","deletionTimestamp":7,"dataChange":true,)"
                          R"("deletionVector":)" +
                              vector + "}}",
                          actions));
  const std::string id(actions.removes[0].deletion_vector_id);
  ASSERT_FALSE(id.empty());
  tombstones.put(actions.removes[0]);
  EXPECT_TRUE(tombstones.contains({"f", id}));
  EXPECT_FALSE(tombstones.contains({"f", {}}));
  tombstones.put(removed("f", 8));
  EXPECT_EQ(tombstones.size(), 2U);
  tombstones.erase({"f", id});
  EXPECT_TRUE(tombstones.contains({"f", {}}));
  EXPECT_EQ(tombstones.size(), 1U);
}

}  // namespace
}  // namespace pinpipe::lake
