#include "source/posters.h"

#include <algorithm>

#include "base/check.h"
#include "base/clock.h"

namespace pinpipe::source {
namespace {

// First index of each category in the classic set; rows are grouped by category.
constexpr std::array<uint64_t, category_count + 1> block_starts = {
    0, 894, 1638, 2637, 3467, 4330, 5078, 5866, 6730, 7577, 8486, 9460, 10'315, classic_rows};

constexpr uint64_t error_posts = 97;

// How many posters have how many posts in the classic set, the anchors included. Fitted to what
// 1,380 real rows show (862 posters seen once, 94 twice, 27 three times, one 28 times), to the
// 5,081 different names among what must be about 5,330 posters, and to the shares of the least age
// and the years of joining that follow from it.
struct PosterClass {
  uint64_t posts, count;
};
constexpr PosterClass poster_classes[] = {{240, 1}, {130, 1}, {97, 1},  {65, 2},  {51, 4},
                                          {40, 7},  {30, 9},  {25, 10}, {20, 11}, {15, 17},
                                          {12, 28}, {10, 44}, {8, 68},  {7, 91},  {6, 118},
                                          {5, 169}, {4, 113}, {3, 90},  {2, 235}};

constexpr size_t art = 0, beauty = 1, diy = 3, education = 4, home_decor = 7, fashion = 8,
                 quotes = 9, tattoos = 10, travel = 11;

// 2015-10-23 16:08:41 and 2015-10-24 11:23:51.
constexpr int64_t yourtango_joined = 1'445'616'521;
constexpr int64_t error_joined = 1'445'685'831;

constexpr Anchor error_anchor = {
    "User Info Error", error_posts, 0,  "User Info Error", "Albania", "-89.9787", "-173.293",
    "Abigail",         "Ali",       20, error_joined};

constexpr Anchor anchors[] = {
    {"YourTango", 240, quotes, "942k", "Algeria", "-89.5173", "-179.689", "Aaron", "Abbott", 20,
     yourtango_joined},
    {"Walmart", 97, education, "2M", "", "", "", "", "", 0, 0},
    {"Our Mindful Life", 65, tattoos, "190k", "", "", "", "", "", 0, 0},
    {"Next Luxury", 65, tattoos, "800k", "", "", "", "", "", 0, 0},
    {"BuzzFeed", 51, beauty, "5M", "American Samoa", "", "", "", "", 0, 0},
    {"Bored Panda", 51, art, "2M", "", "", "", "", "", 0, 0},
    {"The Minds Journal", 51, quotes, "5M", "Albania", "", "", "", "", 0, 0},
    {"Apartment Therapy", 40, home_decor, "5M", "Algeria", "", "", "", "", 0, 0},
    {"9GAG", 30, art, "3M", "Afghanistan", "", "", "", "", 0, 0},
    {"Teachers Pay Teachers", 20, education, "1M", "Andorra", "", "", "", "", 0, 0},
    {"Tastemade", 20, diy, "8M", "Angola", "", "", "", "", 0, 0},
    {"Mamas Uncut", 15, diy, "8M", "American Samoa", "", "", "", "", 0, 0},
    {"We Heart It", 15, travel, "15M", "Anguilla", "", "", "", "", 0, 0},
    {"Cheezburger", 12, art, "2M", "Argentina", "", "", "", "", 0, 0},
    {"GQ Magazine", 10, fashion, "874k", "Aruba", "", "", "", "", 0, 0},
    {"Style Me Pretty", 10, home_decor, "6M", "Azerbaijan", "", "", "", "", 0, 0},
};

uint64_t scaled(uint64_t count, uint64_t rows) {
  return (count * rows + classic_rows / 2) / classic_rows;
}

// Posts outside the poster's own category.
uint64_t common_share(uint64_t posts) {
  return (posts + 1) / 4;
}

template <class Groups, class At>
auto& group_at(Groups& groups, uint64_t place, At at) {
  auto beyond =
      std::upper_bound(groups.begin(), groups.end(), place,
                       [&](uint64_t value, const auto& group) { return value < at(group); });
  return *std::prev(beyond);
}

}  // namespace

Posters::Posters(uint64_t seed, uint64_t rows) : rows_(rows) {
  CHECK(rows > 0 && rows <= 1ULL << 40, "a source has rows, and not more than numbers hold");
  lay_out_blocks(seed);
  add_error_poster();
  add_anchors();
  add_groups();
  add_singles();
  CHECK(common_groups_.size() <= groups_max, "groups do not grow with the rows");
  if (rows_ > dirty_index && common_used_ > 0) {
    dirty_place_ = place_of(dirty_index);
    dirty_is_pinned_ = true;
  }
}

void Posters::lay_out_blocks(uint64_t seed) {
  for (size_t category = 0; category < category_count; ++category) {
    Block& block = blocks_[category];
    block.start = block_starts[category] * rows_ / classic_rows;
    block.size = block_starts[category + 1] * rows_ / classic_rows - block.start;
    block.home_size = block.size * 7 / 10;
    block.home_base = home_total_;
    block.common_base = common_size_;
    block.home_used = 0;
    block.shuffle = Permutation(mix(seed ^ 0xb10cULL) + category, block.size);
    home_total_ += block.home_size;
    common_size_ += block.size - block.home_size;
  }
  common_shuffle_ = Permutation(mix(seed ^ 0xc0ULL), common_size_);
}

// Its posts may stand anywhere, and its first one is the common part's first place.
void Posters::add_error_poster() {
  uint64_t posts = scaled(error_posts, rows_);
  if (posts == 0) return;
  common_groups_.push_back({posts, 0, posts, poster_count_, 1, 0, 0, &error_anchor, true});
  common_used_ = posts;
  poster_count_ += 1;
}

void Posters::add_anchors() {
  if (rows_ < classic_rows) return;
  for (const Anchor& anchor : anchors) add_group(anchor.category, anchor.posts, 1, &anchor);
}

void Posters::add_groups() {
  for (const PosterClass& sort : poster_classes) {
    uint64_t count = scaled(sort.count, rows_);
    if (rows_ >= classic_rows) {
      count -= static_cast<uint64_t>(
          std::count_if(std::begin(anchors), std::end(anchors),
                        [&](const Anchor& anchor) { return anchor.posts == sort.posts; }));
    }
    spread(sort.posts, count);
  }
}

void Posters::spread(uint64_t posts, uint64_t count) {
  auto room = [&](const Block& block) { return block.home_size - block.home_used; };
  uint64_t room_total = 0;
  std::array<uint64_t, category_count> shares{};
  for (const Block& block : blocks_) room_total += room(block);
  if (room_total == 0) return;
  uint64_t given = 0;
  for (size_t i = 0; i < category_count; ++i)
    given += shares[i] = count * room(blocks_[i]) / room_total;
  for (size_t i = 0; i < category_count; ++i) add_group(i, posts, shares[i], nullptr);
  // What rounding left goes one by one to whoever has most room.
  std::array<uint64_t, category_count> extra{};
  auto left = [&](size_t i) {
    uint64_t used = extra[i] * posts;
    return room(blocks_[i]) > used ? room(blocks_[i]) - used : 0;
  };
  for (; given < count; ++given) {
    size_t most = 0;
    for (size_t i = 1; i < category_count; ++i) {
      if (left(i) > left(most)) most = i;
    }
    extra[most] += 1;
  }
  for (size_t i = 0; i < category_count; ++i) add_group(i, posts, extra[i], nullptr);
}

// Adds as many of the `count` posters as there is room for, which at small sizes can be fewer.
uint64_t Posters::add_group(size_t category, uint64_t posts, uint64_t count, const Anchor* anchor) {
  Block& block = blocks_[category];
  uint64_t common_each = common_share(posts);
  uint64_t home_each = posts - common_each;
  count = std::min(count, (block.home_size - block.home_used) / home_each);
  if (common_each > 0) count = std::min(count, (common_size_ - common_used_) / common_each);
  if (count == 0) return 0;
  Group group{posts,           home_each,    common_each, poster_count_, count,
              block.home_used, common_used_, anchor,      false};
  block.groups.push_back(group);
  if (common_each > 0) common_groups_.push_back(group);
  block.home_used += count * home_each;
  common_used_ += count * common_each;
  poster_count_ += count;
  return count;
}

void Posters::add_singles() {
  for (Block& block : blocks_) {
    block.single_base = poster_count_;
    poster_count_ += block.home_size - block.home_used;
  }
  common_single_base_ = poster_count_;
  poster_count_ += common_size_ - common_used_;
}

size_t Posters::category_of(uint64_t index) const {
  size_t category = 0;
  for (size_t i = 1; i < category_count; ++i) category += index >= blocks_[i].start;
  return category;
}

uint64_t Posters::place_of(uint64_t index) const {
  const Block& block = blocks_[category_of(index)];
  uint64_t place = block.shuffle(index - block.start);
  if (place < block.home_size) return block.home_base + place;
  return home_total_ + common_shuffle_(block.common_base + place - block.home_size);
}

Post Posters::post_of(uint64_t index) const {
  uint64_t place = place_of(index);
  if (dirty_is_pinned_) {
    if (place == dirty_place_) {
      place = home_total_;
    } else if (place == home_total_) {
      place = dirty_place_;
    }
  }
  if (place >= home_total_) {
    uint64_t common = place - home_total_;
    if (common >= common_used_)
      return {common_single_base_ + common - common_used_, 1, nullptr, false};
    const Group& group =
        group_at(common_groups_, common, [](const Group& g) { return g.common_at; });
    uint64_t which = (common - group.common_at) / group.common_each;
    return {group.first_poster + which, group.posts, group.anchor, group.error};
  }
  auto beyond = std::upper_bound(blocks_.begin(), blocks_.end(), place,
                                 [](uint64_t p, const Block& b) { return p < b.home_base; });
  const Block& block = *std::prev(beyond);
  uint64_t home = place - block.home_base;
  if (home >= block.home_used)
    return {block.single_base + home - block.home_used, 1, nullptr, false};
  const Group& group = group_at(block.groups, home, [](const Group& g) { return g.home_at; });
  uint64_t which = (home - group.home_at) / group.home_each;
  return {group.first_poster + which, group.posts, group.anchor, group.error};
}

}  // namespace pinpipe::source
