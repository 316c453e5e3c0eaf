#include "source/generator.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/check.h"
#include "source/names.h"
#include "source/pin_text.h"

namespace pinpipe::source {
namespace {

// Posts were made in the five years before the collection, users had joined in the two before
// those. Seconds since 1970.
constexpr int64_t posts_begin = 1'508'457'600;   // 2017-10-20
constexpr int64_t posts_end = 1'666'108'800;     // 2022-10-18 16:00
constexpr int64_t joined_begin = 1'445'385'600;  // 2015-10-21
constexpr int64_t joined_end = 1'508'342'400;    // 2017-10-18 16:00

// The row everybody knows keeps its public identity.
constexpr std::string_view dirty_unique_id = "fbe53c66-3442-4773-b19e-d3ec6f54dddf";
constexpr int64_t dirty_timestamp = 1'598'586'767;  // 2020-08-28 03:52:47

// What a post looks like, in the frequencies of the real rows (of 1,368 whose poster is known).
struct Look {
  bool video = false, story = false, image_error = false, undescribed = false, untagged = false;
};

Look look_of(Draw& draw) {
  uint64_t lot = draw.below(1368);
  if (lot < 1227) return {};
  if (lot < 1263) return {.video = true};
  if (lot < 1325) return {.story = true};
  if (lot < 1342) return {.story = true, .image_error = true};
  if (lot < 1361) return {.undescribed = true};
  if (lot < 1363) return {.video = true, .undescribed = true};
  if (lot < 1367) return {.untagged = true};
  return {.video = true, .untagged = true};
}

// Millionths of a degree as MySQL prints the FLOAT: six significant digits, no trailing zeros.
// Below a ten-thousandth it would print an exponent, which no real row shows: those become that
// size.
void append_degrees(std::string& to, int64_t millionths) {
  auto size = static_cast<uint64_t>(std::max<int64_t>(std::abs(millionths), 100));
  uint64_t step = size >= 100'000'000  ? 1'000
                  : size >= 10'000'000 ? 100
                  : size >= 1'000'000  ? 10
                                       : 1;
  size = (size + step / 2) / step * step;
  if (millionths < 0) to.push_back('-');
  append_number(to, size / 1'000'000);
  uint64_t rest = size % 1'000'000;
  if (rest == 0) return;
  char digits[8];
  auto end = std::to_chars(digits, digits + sizeof digits, rest + 1'000'000).ptr;
  while (end[-1] == '0') --end;
  digits[0] = '.';
  to.append(digits, end);
}

void add_coordinate(Row& row, int64_t degrees_max, Fraction fraction, std::string_view pinned) {
  if (!pinned.empty()) return row.add_real(pinned);
  int64_t most = degrees_max * 1'000'000;
  append_degrees(row.open_text(),
                 static_cast<int64_t>(fraction.of(static_cast<uint64_t>(2 * most + 1))) - most);
  row.close(Kind::real);
}

void add_text_or(Row& row, std::string_view pinned, std::string_view drawn) {
  row.add_text(pinned.empty() ? drawn : pinned);
}

}  // namespace

Generator::Generator(Options options)
    : options_(options),
      posters_(options.seed, options.rows),
      post_key_(mix(options.seed + 1 * golden_gamma)),
      place_key_(mix(options.seed + 2 * golden_gamma)),
      user_key_(mix(options.seed + 3 * golden_gamma)),
      name_key_(mix(options.seed + 4 * golden_gamma)),
      time_key_(mix(options.seed + 5 * golden_gamma)) {}

void Generator::pin(uint64_t index, Row& row) const {
  CHECK(index < options_.rows, "an index lies within the source");
  Post post = posters_.post_of(index);
  size_t category = posters_.category_of(index);
  Draw draw(post_key_, index);
  Draw poster_draw(name_key_, post.poster);
  Look look =
      post.error ? Look{.story = true, .image_error = true, .untagged = true} : look_of(draw);
  Subject subject = draw_subject(category, draw);

  row.begin(schema_of(Table::pin));
  std::string& text = row.open_text();
  text.reserve(2048);
  row.add_integer(static_cast<int64_t>(index));
  append_uuid(text, draw);
  if (index == dirty_index && post.error) text = dirty_unique_id;
  row.close(Kind::text);
  size_t title_at = text.size();
  if (post.error) {
    text.append(no_title);
  } else {
    append_title(text, subject, draw);
  }
  row.close(Kind::text);
  std::string_view title = std::string_view(text).substr(title_at);
  if (look.story) {
    text.append(story_description);
  } else if (look.undescribed) {
    text.append(no_description);
  } else {
    append_description(text, subject, title, draw);
  }
  row.close(Kind::text);
  if (post.anchor != nullptr) {
    row.add_text(post.anchor->name);
    row.add_text(post.anchor->followers);
  } else {
    append_poster_name(text, post.poster, poster_draw);
    row.close(Kind::text);
    append_followers(text, post.posts, poster_draw, draw);
    row.close(Kind::text);
  }
  if (look.untagged) {
    text.append(no_tags);
  } else {
    append_tags(text, category, draw);
  }
  row.close(Kind::text);
  row.add_text(look.story ? story_type : look.video ? "video" : "image");
  if (look.image_error) {
    text.append(no_image);
  } else {
    append_image_src(text, look.video || look.story, draw);
  }
  row.close(Kind::text);
  row.add_integer(look.image_error ? 0 : 1);
  text.append("Local save in /data/").append(category_names[category]);
  row.close(Kind::text);
  row.add_text(category_names[category]);
}

void Generator::geo(uint64_t index, Row& row) const {
  CHECK(index < options_.rows, "an index lies within the source");
  Post post = posters_.post_of(index);
  Draw place(place_key_, post.poster);
  Fraction country = place.least_of(post.posts);
  Fraction latitude = place.least_of(post.posts);
  Fraction longitude = place.least_of(post.posts);
  Draw time(time_key_, index);
  auto seconds = static_cast<int64_t>(time.below(posts_end - posts_begin));

  row.begin(schema_of(Table::geo));
  row.add_integer(static_cast<int64_t>(index));
  bool known = index == dirty_index && post.error;
  row.add_datetime(known ? dirty_timestamp : posts_begin + seconds);
  static constexpr Anchor nobody{};
  const Anchor& anchor = post.anchor != nullptr ? *post.anchor : nobody;
  add_coordinate(row, 90, latitude, anchor.latitude);
  add_coordinate(row, 180, longitude, anchor.longitude);
  add_text_or(row, anchor.country, countries()[country.of(countries().size())]);
}

void Generator::user(uint64_t index, Row& row) const {
  CHECK(index < options_.rows, "an index lies within the source");
  Post post = posters_.post_of(index);
  Draw draw(user_key_, post.poster);
  Fraction first_name = draw.least_of(post.posts);
  Fraction last_name = draw.least_of(post.posts);
  Fraction age = draw.least_of(post.posts);
  Fraction joined = draw.least_of(post.posts);

  row.begin(schema_of(Table::user));
  row.add_integer(static_cast<int64_t>(index));
  static constexpr Anchor nobody{};
  const Anchor& anchor = post.anchor != nullptr ? *post.anchor : nobody;
  add_text_or(row, anchor.first_name, first_names().at(first_name));
  add_text_or(row, anchor.last_name, last_names().at(last_name));
  row.add_integer(anchor.age != 0 ? anchor.age : 20 + static_cast<int64_t>(age.of(41)));
  auto seconds = static_cast<int64_t>(joined.of(joined_end - joined_begin));
  row.add_datetime(anchor.joined != 0 ? anchor.joined : joined_begin + seconds);
}

void Generator::read(Table table, uint64_t index, Row& row) const {
  switch (table) {
    case Table::pin:
      return pin(index, row);
    case Table::geo:
      return geo(index, row);
    case Table::user:
      return user(index, row);
  }
}

}  // namespace pinpipe::source
