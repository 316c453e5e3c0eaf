// The texts of a post, each appended to `to` and drawn from the Draw it is given.
// Bounds: no text is longer than 400 bytes.
#pragma once

#include <string>
#include <string_view>

#include "source/draw.h"
#include "source/posters.h"

namespace pinpipe::source {

inline constexpr std::string_view no_title = "No Title Data Available";
inline constexpr std::string_view no_description = "No description available";
inline constexpr std::string_view story_description = "No description available Story format";
inline constexpr std::string_view no_user = "User Info Error";
inline constexpr std::string_view no_tags = "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e";
inline constexpr std::string_view no_image = "Image src error.";
inline constexpr std::string_view story_type = "multi-video(story page format)";

// What a post is about: title and description come back to it.
struct Subject {
  size_t category;
  std::string_view thing;
};
Subject draw_subject(size_t category, Draw& draw);

void append_uuid(std::string& to, Draw& draw);
void append_title(std::string& to, const Subject& subject, Draw& draw);
// `title` may lie in `to` when `to` has capacity for what is appended.
void append_description(std::string& to, const Subject& subject, std::string_view title,
                        Draw& draw);
void append_tags(std::string& to, size_t category, Draw& draw);
// A picture of its own, or a video's thumbnail.
void append_image_src(std::string& to, bool video, Draw& draw);

// Different for every poster number; the poster's followers are nearly the same in all its posts.
void append_poster_name(std::string& to, uint64_t poster, Draw& poster_draw);
void append_followers(std::string& to, uint64_t posts, Draw& poster_draw, Draw& post_draw);

// Decimal digits.
void append_number(std::string& to, uint64_t number);

}  // namespace pinpipe::source
