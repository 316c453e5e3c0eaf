#include "source/pin_text.h"

#include <array>
#include <charconv>
#include <span>

#include "source/names.h"
#include "source/vocabulary.h"

namespace pinpipe::source {
namespace {

std::string_view pick(Words words, Draw& draw) {
  return words[draw.below(words.size())];
}
std::string_view pick_at(Words words, uint64_t at) {
  return words[at % words.size()];
}

void expand(std::string& to, std::string_view pattern, const Subject& subject, Draw& draw) {
  const CategoryWords& words = words_of(subject.category);
  while (true) {
    size_t mark = pattern.find('%');
    to.append(pattern.substr(0, mark));
    if (mark == std::string_view::npos) return;
    switch (pattern[mark + 1]) {
      case 'n':
        append_number(to, 3 + draw.below(98));
        break;
      case 'a':
        to.append(pick(words.looks, draw));
        break;
      case 't':
        to.append(draw.chance(80'000) ? subject.thing : pick(words.things, draw));
        break;
      case 'u':
        to.append(pick(vocabulary().audiences, draw));
        break;
      default:
        to.append(pick(vocabulary().seasons, draw));
        break;
    }
    pattern.remove_prefix(mark + 2);
  }
}

bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
}

size_t count_characters(std::string_view text) {
  size_t count = 0;
  for (char byte : text) count += begins_character(byte);
  return count;
}

// Removes what follows the first `characters` characters after byte `from`.
void cut(std::string& text, size_t from, size_t characters) {
  size_t at = from;
  for (; at < text.size(); ++at) {
    if (begins_character(text[at]) && characters-- == 0) break;
  }
  text.resize(at);
}

// Two lower-case digits a byte.
constexpr auto hex_pairs = [] {
  std::array<char, 512> pairs{};
  constexpr std::string_view digits = "0123456789abcdef";
  for (size_t i = 0; i < 256; ++i) {
    pairs[2 * i] = digits[i >> 4];
    pairs[2 * i + 1] = digits[i & 15];
  }
  return pairs;
}();

void put_hex(char* at, uint64_t word, int bytes) {
  for (int i = 0; i < bytes; ++i, word >>= 8) {
    at[2 * i] = hex_pairs[2 * (word & 255)];
    at[2 * i + 1] = hex_pairs[2 * (word & 255) + 1];
  }
}

std::string_view title_pattern(Draw& draw) {
  const Vocabulary& v = vocabulary();
  uint64_t lot = draw.below(100'000);
  if (lot < 80'300) return pick(v.titles, draw);
  if (lot < 89'000) return pick(v.titles_accented, draw);
  if (lot < 89'400) return pick(v.titles_foreign, draw);
  if (lot < 90'600) return pick(v.titles_emoji, draw);
  if (lot < 90'750) return pick(v.titles_newline, draw);
  if (lot < 91'600) return pick(v.titles_quoted, draw);
  if (lot < 97'600) return pick(v.titles_apostrophe, draw);
  if (lot < 97'640) return "Untitled";
  return "%t";
}

std::string_view first_sentence(Draw& draw) {
  const Vocabulary& v = vocabulary();
  uint64_t lot = draw.below(100'000);
  if (lot < 19'800) return pick(v.sentences_apostrophe, draw);
  if (lot < 22'300) return pick(v.sentences_quoted, draw);
  if (lot < 34'500) return pick(v.sentences_accented, draw);
  if (lot < 35'700) return pick(v.sentences_emoji, draw);
  return pick(v.sentences, draw);
}

// What a share of the posters has at most, in thousandths; between two points the count runs
// evenly.
struct Quantile {
  uint32_t permille, followers;
};

// Accounts that post often are the big ones.
constexpr Quantile one_post[] = {{0, 0},         {15, 0},        {50, 5},          {150, 60},
                                 {250, 265},     {340, 940},     {420, 2'000},     {500, 4'000},
                                 {650, 13'000},  {750, 30'000},  {850, 85'000},    {930, 250'000},
                                 {970, 600'000}, {993, 999'000}, {1000, 3'000'000}};
constexpr Quantile few_posts[] = {{0, 0},         {10, 3},        {60, 150},
                                  {110, 940},     {200, 3'000},   {350, 8'000},
                                  {500, 19'000},  {650, 55'000},  {800, 180'000},
                                  {900, 500'000}, {985, 999'000}, {1000, 3'000'000}};
constexpr Quantile several_posts[] = {{0, 5},           {40, 200},        {80, 940},
                                      {150, 7'000},     {300, 22'000},    {500, 65'000},
                                      {700, 200'000},   {850, 530'000},   {950, 999'000},
                                      {985, 2'500'000}, {1000, 5'999'000}};
constexpr Quantile many_posts[] = {{0, 30},        {30, 940},        {100, 20'000},
                                   {300, 90'000},  {500, 240'000},   {700, 560'000},
                                   {890, 999'000}, {960, 2'500'000}, {1000, 6'999'000}};

uint64_t followers_of(std::span<const Quantile> points, Draw& draw) {
  uint64_t lot = draw.below(1'000'000);
  size_t upper = 1;
  while (lot >= points[upper].permille * 1000ULL) ++upper;
  const Quantile& low = points[upper - 1];
  const Quantile& high = points[upper];
  uint64_t width = (high.permille - low.permille) * 1000ULL;
  return low.followers + (high.followers - low.followers) * (lot - low.permille * 1000ULL) / width;
}

// Coprime to 690 × 1000, so that neighbouring posters get unlike names and no name comes twice.
constexpr uint64_t name_stride = 412'387;
constexpr uint64_t brand_stride = 40'503;  // odd: brands count in powers of two

void append_person(std::string& to, uint64_t poster) {
  uint64_t names = first_names().size() * last_names().size();
  uint64_t round = poster / names;
  uint64_t at = poster % names * name_stride % names;
  to.append(first_names()[at % first_names().size()]).append(" ");
  if (round > 0) {
    to.push_back(static_cast<char>('A' + (round - 1) % 26));
    for (uint64_t again = (round - 1) / 26; again > 0; again /= 26) {
      to.push_back(static_cast<char>('A' + again % 26));
    }
    to.append(". ");
  }
  to.append(last_names()[at / first_names().size()]);
}

void append_brand(std::string& to, uint64_t poster, bool spaced) {
  const Vocabulary& v = vocabulary();
  uint64_t brands = v.brand_looks.size() * v.brand_things.size() * v.brand_tails.size();
  uint64_t round = poster / brands;
  uint64_t at = poster % brands * brand_stride % brands;
  to.append(pick_at(v.brand_looks, at));
  if (spaced) to.push_back(' ');
  at /= v.brand_looks.size();
  to.append(pick_at(v.brand_things, at));
  at /= v.brand_things.size();
  to.append(pick_at(v.brand_tails, at));
  if (round > 0) {
    to.push_back(' ');
    append_number(to, round + 1);
  }
}

}  // namespace

void append_number(std::string& to, uint64_t number) {
  char digits[20];
  auto end = std::to_chars(digits, digits + sizeof digits, number);
  to.append(digits, end.ptr);
}

void append_uuid(std::string& to, Draw& draw) {
  char text[36];
  uint64_t high = draw.next();
  uint64_t low = draw.next();
  high = (high & ~(0xf0ULL << 48)) | 0x40ULL << 48;  // byte 6: version 4
  low = (low & ~0xc0ULL) | 0x80ULL;                  // byte 8: variant
  put_hex(text, high, 4);
  put_hex(text + 9, high >> 32, 2);
  put_hex(text + 14, high >> 48, 2);
  put_hex(text + 19, low, 2);
  put_hex(text + 24, low >> 16, 6);
  for (int dash : {8, 13, 18, 23}) text[dash] = '-';
  to.append(text, sizeof text);
}

Subject draw_subject(size_t category, Draw& draw) {
  return {category, pick(words_of(category).things, draw)};
}

void append_title(std::string& to, const Subject& subject, Draw& draw) {
  size_t from = to.size();
  expand(to, title_pattern(draw), subject, draw);
  uint64_t lot = draw.below(1000);
  if (lot < 85) {
    to.append(" - ");
    expand(to, pick(vocabulary().titles, draw), subject, draw);
  }
  if (lot < 8) {
    while (to.size() - from < 205) {
      to.append(" - ");
      expand(to, pick(vocabulary().titles, draw), subject, draw);
    }
    cut(to, from, 198);
    to.append("…");
  }
}

void append_description(std::string& to, const Subject& subject, std::string_view title,
                        Draw& draw) {
  uint64_t lot = draw.below(100'000);
  if (lot < 50) {
    to.append("Untitled");
    return;
  }
  if (lot < 4'000 && title.find('\n') == std::string_view::npos && title.size() < 170) {
    to.append(title);
    return;
  }
  size_t from = to.size();
  size_t target = lot < 32'000 ? 200 : 8 + draw.below(152);
  expand(to, first_sentence(draw), subject, draw);
  // A stride that shares no factor with their number, so that no sentence comes twice.
  Words sentences = vocabulary().sentences;
  for (uint64_t next = draw.below(sentences.size()); to.size() - from < target; next += 7) {
    to.push_back(' ');
    expand(to, pick_at(sentences, next), subject, draw);
  }
  if (to.size() - from <= 176 || count_characters(std::string_view(to).substr(from)) <= 178) return;
  // Cut as the site cut them: 178 to 180 characters with the ellipsis and a no-break space.
  uint64_t length = draw.below(100);
  cut(to, from, length < 80 ? 177 : length < 99 ? 176 : 178);
  to.append("…\u00a0");
}

void append_tags(std::string& to, size_t category, Draw& draw) {
  const CategoryWords& words = words_of(category);
  const Vocabulary& v = vocabulary();
  uint64_t count = draw.chance(400) ? 8 : 9;
  // Topics and heads go round with different strides: hardly a tag comes twice.
  uint64_t start = draw.next() >> 32;
  for (uint64_t tag = 0; tag < count; ++tag) {
    if (tag > 0) to.push_back(',');
    uint64_t lot = draw.next();
    if ((lot >> 52 & 7) < 5) to.append(pick_at(v.tag_heads, start / 7 + tag * 5));
    to.append(draw.chance(15'000) ? pick_at(words.things, lot & 0xffff)
                                  : pick_at(words.topics, start + tag));
    if ((lot >> 56 & 7) < 3) to.append(pick_at(v.tag_tails, lot >> 32 & 0xffff));
  }
}

void append_image_src(std::string& to, bool video, Draw& draw) {
  char path[41];  // "ab/cd/ef/abcdef…"
  put_hex(path + 9, draw.next(), 8);
  put_hex(path + 25, draw.next(), 8);
  for (int part : {0, 1, 2}) {
    path[3 * part] = path[9 + 2 * part];
    path[3 * part + 1] = path[10 + 2 * part];
    path[3 * part + 2] = '/';
  }
  to.append(video ? "https://i.pinimg.com/videos/thumbnails/originals/"
                  : "https://i.pinimg.com/originals/");
  to.append(path, sizeof path);
  uint64_t lot = draw.below(1000);
  to.append(video       ? ".0000001.jpg"
            : lot < 835 ? ".jpg"
            : lot < 993 ? ".png"
            : lot < 999 ? ".webp"
                        : ".gif");
}

void append_poster_name(std::string& to, uint64_t poster, Draw& draw) {
  const Vocabulary& v = vocabulary();
  uint64_t lot = draw.below(1000);
  if (lot < 430) {
    append_person(to, poster);
  } else if (lot < 850) {
    append_brand(to, poster, true);
  } else {
    append_brand(to, poster, false);
  }
  uint64_t ending = draw.below(1000);
  if (ending < 150) {
    to.append(" | ").append(pick(v.brand_subtitles, draw));
  } else if (ending < 152) {
    size_t from = to.size();
    while (to.size() - from < 160) to.append(" | ").append(pick(v.brand_subtitles, draw));
  } else if (ending < 170) {
    to.push_back(' ');
  }
}

void append_followers(std::string& to, uint64_t posts, Draw& poster_draw, Draw& post_draw) {
  uint64_t followers = posts == 1    ? followers_of(one_post, poster_draw)
                       : posts <= 4  ? followers_of(few_posts, poster_draw)
                       : posts <= 12 ? followers_of(several_posts, poster_draw)
                                     : followers_of(many_posts, poster_draw);
  // A few accounts grew while their posts were collected.
  bool grows = poster_draw.chance(1'500);
  if (grows && followers >= 10'000 && followers < 990'000 && post_draw.chance(50'000)) {
    followers += 1'000;
  }
  if (followers < 1'000) {
    append_number(to, std::min<uint64_t>(followers, 940));
  } else if (followers < 1'000'000) {
    append_number(to, followers / 1'000);
    to.push_back('k');
  } else {
    append_number(to, followers / 1'000'000);
    to.push_back('M');
  }
}

}  // namespace pinpipe::source
