// Who posted what: maps every index to its category and its poster, and tells how many posts the
// poster has in all. A poster ("user") keeps most of its posts in one category and has a few
// elsewhere.
//
//   index ─► category block ─► place in the block, shuffled ─┬─ home part ───► a poster of the
//   category
//                                                            └─ common part, shuffled ─► any poster
//
// Posters with the same number of posts stand in one group, so that a place gives its poster by a
// search over groups and a division: any index in constant time, memory that does not grow with the
// number of rows (groups_max). Posters with one post fill what the groups leave.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "source/draw.h"

namespace pinpipe::source {

// The course's database has this many rows; counts below are for it and scale with other sizes.
inline constexpr uint64_t classic_rows = 11'154;
// The row that every seeded script draws first: all its fields are placeholders.
inline constexpr uint64_t dirty_index = 7528;

inline constexpr std::array<std::string_view, 13> category_names = {
    "art",     "beauty",     "christmas",    "diy-and-crafts", "education", "event-planning",
    "finance", "home-decor", "mens-fashion", "quotes",         "tattoos",   "travel",
    "vehicles"};
inline constexpr size_t category_count = category_names.size();

// A poster that everybody who ran the pipeline has met. An empty text or a zero is left to the
// draws.
struct Anchor {
  std::string_view name;
  uint32_t posts;
  size_t category;
  std::string_view followers;
  std::string_view country;
  std::string_view latitude, longitude;
  std::string_view first_name, last_name;
  int64_t age;
  int64_t joined;  // seconds since 1970
};

struct Post {
  uint64_t poster;       // number of the poster
  uint64_t posts;        // how many posts the poster has
  const Anchor* anchor;  // or nullptr
  bool error;            // the poster is "User Info Error"
};

class Posters {
 public:
  static constexpr size_t groups_max = 600;

  Posters(uint64_t seed, uint64_t rows);

  // `index` must be below rows.
  Post post_of(uint64_t index) const;
  size_t category_of(uint64_t index) const;
  // Posters in all: their numbers are 0 … poster_count() - 1.
  uint64_t poster_count() const { return poster_count_; }

 private:
  struct Group {
    uint64_t posts, home_each, common_each;
    uint64_t first_poster, count;
    uint64_t home_at, common_at;  // first place in the category's home part and in the common part
    const Anchor* anchor;
    bool error;
  };
  struct Block {
    uint64_t start, size, home_size, home_base, common_base;
    uint64_t home_used;
    uint64_t single_base;  // number of the first poster with one post
    Permutation shuffle;
    std::vector<Group> groups;
  };

  void lay_out_blocks(uint64_t seed);
  void add_error_poster();
  void add_anchors();
  void add_groups();
  void add_singles();
  uint64_t add_group(size_t category, uint64_t posts, uint64_t count, const Anchor* anchor);
  // Spreads `count` posters of `posts` posts over the categories by the room they have left.
  void spread(uint64_t posts, uint64_t count);
  uint64_t place_of(uint64_t index) const;

  uint64_t rows_;
  std::array<Block, category_count> blocks_;
  std::vector<Group> common_groups_;  // those with places in the common part, by common_at
  uint64_t home_total_ = 0;
  uint64_t common_size_ = 0;
  uint64_t common_used_ = 0;
  uint64_t common_single_base_ = 0;
  uint64_t poster_count_ = 0;
  Permutation common_shuffle_;
  uint64_t dirty_place_ = 0;      // where dirty_index would stand by itself
  bool dirty_is_pinned_ = false;  // it changes places with the error poster's first post
};

}  // namespace pinpipe::source
