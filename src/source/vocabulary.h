// The words posts are made of. Patterns hold marks: %n a number, %a a look, %t a thing, %u an
// audience, %s a place or season. Our own sentences, in the manner of the real ones.
#pragma once

#include <span>
#include <string_view>

namespace pinpipe::source {

using Words = std::span<const std::string_view>;

struct CategoryWords {
  Words things;  // "Christmas Wreaths"
  Words looks;   // "Rustic"
  Words topics;  // what tags are about: "Christmas"
};

// `category` as in category_names.
const CategoryWords& words_of(size_t category);

struct Vocabulary {
  Words audiences, seasons;
  // Titles and sentences without any sign beyond ASCII letters, digits and plain punctuation …
  Words titles, sentences;
  // … and the rarer sorts, each with the sign it is named after.
  Words titles_apostrophe, sentences_apostrophe;
  Words titles_quoted, sentences_quoted;
  Words titles_accented, sentences_accented;
  Words titles_foreign;
  Words titles_emoji, sentences_emoji;
  Words titles_newline;
  Words tag_heads, tag_tails;
  Words brand_looks, brand_things, brand_tails, brand_subtitles;
};

const Vocabulary& vocabulary();

}  // namespace pinpipe::source
