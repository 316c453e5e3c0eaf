// Holds every distribution that the real rows show against the generated ones. Tolerances are about
// four standard deviations of the real sample, wider where a few big posters decide.
// tidy: long because it is one list, a test for each stated distribution.
#include "source/generator.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/id.h"
#include "source/names.h"
#include "source/pin_text.h"

namespace pinpipe::source {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::Le;

struct Pin {
  std::string id, title, description, poster, followers, tags, type, image, location, category;
  int64_t index, downloaded;
};
struct Geo {
  int64_t timestamp;
  std::string latitude, longitude, country;
};
struct User {
  std::string first, last;
  int64_t age, joined;
};
struct Posts {
  std::vector<Pin> pins;
  std::vector<Geo> geos;
  std::vector<User> users;
};

Posts generate(Generator::Options options) {
  Generator generator(options);
  Posts all;
  Row row;
  auto text = [&](size_t column) { return std::string(row.text(column)); };
  for (uint64_t i = 0; i < generator.rows(); ++i) {
    generator.pin(i, row);
    all.pins.push_back({text(1), text(2), text(3), text(4), text(5), text(6), text(7), text(8),
                        text(10), text(11), row.integer(0), row.integer(9)});
    generator.geo(i, row);
    all.geos.push_back({row.integer(1), text(2), text(3), text(4)});
    generator.user(i, row);
    all.users.push_back({text(1), text(2), row.integer(3), row.integer(4)});
  }
  return all;
}

const Posts& classic() {
  static const Posts posts = generate({});
  return posts;
}

template <class F>
double share(F matches) {
  const auto& pins = classic().pins;
  return static_cast<double>(std::count_if(pins.begin(), pins.end(), matches)) /
         static_cast<double>(pins.size());
}

template <class F>
double share_of_users(F matches) {
  const auto& users = classic().users;
  return static_cast<double>(std::count_if(users.begin(), users.end(), matches)) /
         static_cast<double>(users.size());
}

size_t characters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

bool has_wide(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0xf0; });
}

bool has_non_ascii(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}

unsigned year_of(int64_t seconds) {
  return static_cast<unsigned>(civil_of(seconds * 1000).year);
}

bool is_uuid_v4(std::string_view text) {
  auto id = Uuid::from_text(text);
  return id && text[14] == '4' &&
         (text[19] == '8' || text[19] == '9' || text[19] == 'a' || text[19] == 'b');
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

double followers_of(const std::string& text) {
  double number = std::stod(text);
  return number * (text.back() == 'k' ? 1e3 : text.back() == 'M' ? 1e6 : 1);
}

#define EXPECT_BETWEEN(value, low, high) EXPECT_THAT(value, AllOf(Ge(low), Le(high)))

TEST(Generator, makes_the_classic_number_of_rows_with_their_index) {
  ASSERT_EQ(classic().pins.size(), 11'154U);
  for (size_t i = 0; i < classic().pins.size(); ++i) {
    ASSERT_EQ(classic().pins[i].index, static_cast<int64_t>(i));
  }
}

TEST(Generator, ids_are_unique_and_version_4) {
  std::set<std::string> ids;
  for (const Pin& pin : classic().pins) {
    ASSERT_TRUE(is_uuid_v4(pin.id)) << pin.id;
    ids.insert(pin.id);
  }
  EXPECT_EQ(ids.size(), classic().pins.size());
}

TEST(Generator, groups_categories_in_the_seen_index_ranges) {
  struct Range {
    size_t first, last;
    std::string_view category;
  };
  const Range ranges[] = {{0, 891, "art"},
                          {896, 1632, "beauty"},
                          {1643, 2636, "christmas"},
                          {2637, 3466, "diy-and-crafts"},
                          {3468, 4327, "education"},
                          {4331, 5076, "event-planning"},
                          {5080, 5862, "finance"},
                          {5868, 6718, "home-decor"},
                          {6740, 7569, "mens-fashion"},
                          {7583, 8483, "quotes"},
                          {8488, 9455, "tattoos"},
                          {9464, 10314, "travel"},
                          {10316, 11153, "vehicles"}};
  for (const Range& range : ranges) {
    for (size_t i = range.first; i <= range.last; ++i) {
      ASSERT_EQ(classic().pins[i].category, range.category) << i;
    }
  }
  for (const Pin& pin : classic().pins) {
    ASSERT_EQ(pin.location, "Local save in /data/" + pin.category);
  }
}

TEST(Generator, index_7528_is_the_known_dirty_row) {
  const Pin& pin = classic().pins[7528];
  EXPECT_EQ(pin.id, "fbe53c66-3442-4773-b19e-d3ec6f54dddf");
  EXPECT_EQ(pin.title, "No Title Data Available");
  EXPECT_EQ(pin.description, "No description available Story format");
  EXPECT_EQ(pin.poster, "User Info Error");
  EXPECT_EQ(pin.followers, "User Info Error");
  EXPECT_EQ(pin.tags, "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e");
  EXPECT_EQ(pin.type, "multi-video(story page format)");
  EXPECT_EQ(pin.image, "Image src error.");
  EXPECT_EQ(pin.downloaded, 0);
  EXPECT_EQ(pin.category, "mens-fashion");
  const Geo& geo = classic().geos[7528];
  EXPECT_EQ(to_rfc3339(geo.timestamp * 1000), "2020-08-28T03:52:47.000Z");
  EXPECT_EQ(geo.latitude + geo.longitude + geo.country, "-89.9787-173.293Albania");
  const User& user = classic().users[7528];
  EXPECT_EQ(user.first + user.last, "AbigailAli");
  EXPECT_EQ(user.age, 20);
  EXPECT_EQ(to_rfc3339(user.joined * 1000), "2015-10-24T11:23:51.000Z");
}

TEST(Generator, dirt_comes_together_as_in_the_real_rows) {
  std::map<std::string, double> rows;
  for (const Pin& pin : classic().pins) {
    bool title = pin.title == no_title;
    ASSERT_EQ(title, pin.poster == no_user);
    ASSERT_EQ(title, pin.followers == no_user);
    bool story = pin.type == story_type;
    ASSERT_EQ(story, pin.description == story_description);
    bool image = pin.image == no_image;
    ASSERT_EQ(image, pin.downloaded == 0);
    bool tags = pin.tags == no_tags;
    if (title) {
      ASSERT_TRUE(story && image && tags);
    }
    std::string sort = title                               ? "error"
                       : story && image                    ? "story without image"
                       : story                             ? "story"
                       : pin.description == no_description ? "undescribed " + pin.type
                       : tags                              ? "untagged " + pin.type
                                                           : pin.type;
    rows[sort] += 1380.0 / 11'154;
  }
  EXPECT_NEAR(rows["image"], 1227, 15);
  EXPECT_NEAR(rows["video"], 36, 9);
  EXPECT_NEAR(rows["story"], 62, 11);
  EXPECT_NEAR(rows["story without image"], 17, 6);
  EXPECT_NEAR(rows["error"], 12, 0.5);
  EXPECT_NEAR(rows["undescribed image"], 19, 6);
  EXPECT_NEAR(rows["undescribed video"], 2, 1.8);
  EXPECT_NEAR(rows["untagged image"], 4, 2.8);
  EXPECT_NEAR(rows["untagged video"], 1, 0.98);
  EXPECT_EQ(rows.size(), 9U);
}

TEST(Generator, followers_have_the_known_shapes) {
  double thousands = 0, plain = 0, millions = 0, zeros = 0;
  for (const Pin& pin : classic().pins) {
    const std::string& text = pin.followers;
    if (text == no_user) continue;
    size_t digits = text.find_first_not_of("0123456789");
    std::string_view suffix =
        digits == std::string::npos ? "" : std::string_view(text).substr(digits);
    int64_t number = std::stoll(text);
    if (suffix.empty()) {
      ASSERT_LE(number, 940);
      plain += 1;
      zeros += number == 0;
    } else if (suffix == "k") {
      ASSERT_TRUE(number >= 1 && number <= 999) << text;
      thousands += 1;
    } else {
      ASSERT_EQ(suffix, "M") << text;
      ASSERT_TRUE(number >= 1 && number <= 15) << text;
      millions += 1;
    }
  }
  double scale = 1380.0 / 11'154;
  EXPECT_NEAR(thousands * scale, 1035, 60);
  EXPECT_NEAR(plain * scale, 236, 55);
  EXPECT_NEAR(millions * scale, 97, 40);
  EXPECT_NEAR(zeros * scale, 10, 6);
}

TEST(Generator, we_heart_it_has_most_followers) {
  double most = 0;
  std::string name, country;
  for (size_t i = 0; i < classic().pins.size(); ++i) {
    const Pin& pin = classic().pins[i];
    if (pin.followers == no_user || followers_of(pin.followers) <= most) continue;
    most = followers_of(pin.followers);
    name = pin.poster;
    country = classic().geos[i].country;
  }
  EXPECT_EQ(most, 15e6);
  EXPECT_EQ(name, "We Heart It");
  EXPECT_EQ(country, "Anguilla");
}

TEST(Generator, place_and_user_are_functions_of_the_poster) {
  std::map<std::string, std::pair<std::string, int>> posters;
  std::map<std::string, std::string> places;
  for (size_t i = 0; i < classic().pins.size(); ++i) {
    const Geo& geo = classic().geos[i];
    const User& user = classic().users[i];
    std::string place = geo.country + "/" + geo.latitude + "/" + geo.longitude;
    std::string who = place + "/" + user.first + " " + user.last + "/" + std::to_string(user.age) +
                      "/" + std::to_string(user.joined);
    auto [known, fresh] = posters.try_emplace(classic().pins[i].poster, who, 0);
    ASSERT_EQ(known->second.first, who) << known->first;
    known->second.second += 1;
    auto [owner, first] = places.try_emplace(place, classic().pins[i].poster);
    ASSERT_EQ(owner->second, classic().pins[i].poster) << place;
    ASSERT_LT(user.joined, geo.timestamp);
  }
  EXPECT_NEAR(static_cast<double>(posters.size()), 5'330, 150);
  EXPECT_EQ(posters.at("User Info Error").second, 97);
  EXPECT_EQ(posters.at("YourTango").second, 240);
  EXPECT_EQ(posters.at("BuzzFeed").second, 51);
}

TEST(Generator, posters_seen_in_a_sample_are_as_many_as_in_the_real_one) {
  std::map<std::string, int> seen;
  Permutation shuffle(99, classic_rows);
  for (uint64_t i = 0; i < 1380; ++i) seen[classic().pins[shuffle(i)].poster] += 1;
  std::map<int, double> posters;
  for (const auto& [poster, posts] : seen) posters[std::min(posts, 4)] += 1;
  EXPECT_NEAR(posters[1], 862, 80);
  EXPECT_NEAR(posters[2], 94, 40);
  EXPECT_NEAR(posters[3], 27, 20);
  EXPECT_NEAR(posters[4], 37, 20);
  EXPECT_NEAR(seen["YourTango"], 28, 18);
}

TEST(Generator, posters_keep_mostly_to_one_category) {
  std::map<std::string, std::map<std::string, int>> posters;
  for (const Pin& pin : classic().pins) posters[pin.poster][pin.category] += 1;
  EXPECT_GT(posters["YourTango"]["quotes"], 150);
  EXPECT_GE(posters["User Info Error"].size(), 10U);
}

TEST(Generator, followers_hardly_change_within_a_poster) {
  std::map<std::string, std::set<std::string>> seen;
  for (const Pin& pin : classic().pins) seen[pin.poster].insert(pin.followers);
  auto changing = std::count_if(seen.begin(), seen.end(),
                                [](const auto& entry) { return entry.second.size() > 1; });
  EXPECT_BETWEEN(changing, 3, 45);
  for (const auto& [poster, counts] : seen) EXPECT_LE(counts.size(), 2U) << poster;
}

TEST(Generator, user_names_are_nearly_one_a_poster) {
  std::set<std::string> names;
  for (const User& user : classic().users) names.insert(user.first + " " + user.last);
  EXPECT_NEAR(static_cast<double>(names.size()), 5'081, 150);
}

TEST(Generator, ages_run_from_20_to_60_and_20_leads) {
  std::map<int64_t, double> ages;
  for (const User& user : classic().users) ages[user.age] += 1.0 / classic_rows;
  EXPECT_EQ(ages.begin()->first, 20);
  EXPECT_EQ(ages.rbegin()->first, 60);
  EXPECT_NEAR(ages[20], 297.0 / 1652, 0.06);
  for (const auto& [age, part] : ages) {
    if (age > 20) EXPECT_LT(part, ages[20]);
  }
}

TEST(Generator, years_of_joining_have_the_stated_shares) {
  auto joined_in = [](unsigned year) {
    return share_of_users([year](const User& user) { return year_of(user.joined) == year; });
  };
  EXPECT_NEAR(joined_in(2015), 645.0 / 1652, 0.06);
  EXPECT_NEAR(joined_in(2016), 738.0 / 1652, 0.06);
  EXPECT_NEAR(joined_in(2017), 269.0 / 1652, 0.04);
  std::map<std::string, unsigned> earliest;
  for (const User& user : classic().users) {
    unsigned& year = earliest.try_emplace(user.first + " " + user.last, 9999).first->second;
    year = std::min(year, year_of(user.joined));
  }
  std::map<unsigned, double> people;
  for (const auto& [name, year] : earliest) people[year] += 1;
  EXPECT_NEAR(people[2015], 826, 120);
  EXPECT_NEAR(people[2016], 2650, 180);
  EXPECT_NEAR(people[2017], 1605, 150);
}

TEST(Generator, posts_spread_evenly_over_five_years) {
  std::map<unsigned, double> years;
  int64_t first = INT64_MAX, last = 0;
  for (const Geo& geo : classic().geos) {
    years[year_of(geo.timestamp)] += 2495.0 / classic_rows;
    first = std::min(first, geo.timestamp);
    last = std::max(last, geo.timestamp);
  }
  EXPECT_NEAR(years[2017], 106, 30);
  EXPECT_NEAR(years[2018], 530, 70);
  EXPECT_NEAR(years[2019], 470, 70);
  EXPECT_NEAR(years[2020], 482, 70);
  EXPECT_NEAR(years[2021], 482, 70);
  EXPECT_NEAR(years[2022], 425, 70);
  EXPECT_EQ(to_rfc3339(first * 1000).substr(0, 7), "2017-10");
  EXPECT_EQ(to_rfc3339(last * 1000).substr(0, 7), "2022-10");
}

TEST(Generator, countries_are_fakers_and_lean_to_the_front_of_the_alphabet) {
  std::map<std::string, double> seen;
  for (const Geo& geo : classic().geos) seen[geo.country] += 1.0 / classic_rows;
  EXPECT_BETWEEN(seen.size(), 225U, 243U);
  for (std::string_view name : {"Antarctica (the territory South of 60 deg S)",
                                "Cote d'Ivoire",
                                "Korea",
                                "Macedonia",
                                "British Indian Ocean Territory (Chagos Archipelago)",
                                "Bouvet Island (Bouvetoya)",
                                "Cocos (Keeling) Islands",
                                "Falkland Islands (Malvinas)",
                                "Holy See (Vatican City State)",
                                "Kyrgyz Republic",
                                "Lao People's Democratic Republic",
                                "Libyan Arab Jamahiriya",
                                "Netherlands Antilles",
                                "Palestinian Territory",
                                "Slovakia (Slovak Republic)",
                                "Svalbard & Jan Mayen Islands",
                                "Swaziland",
                                "Timor-Leste",
                                "United States of America",
                                "Wallis and Futuna"}) {
    EXPECT_TRUE(std::find(countries().begin(), countries().end(), name) != countries().end())
        << name;
  }
  EXPECT_NEAR(seen["Albania"], 126.0 / 2495, 0.03);
  EXPECT_NEAR(seen["Algeria"], 110.0 / 2495, 0.03);
  EXPECT_NEAR(seen["Afghanistan"], 89.0 / 2495, 0.03);
  EXPECT_NEAR(seen["American Samoa"], 79.0 / 2495, 0.025);
  double in_a = 0;
  for (const auto& [name, part] : seen) in_a += name[0] == 'A' ? part : 0;
  EXPECT_BETWEEN(in_a, 0.25, 0.5);
}

TEST(Generator, coordinates_are_floats_as_mysql_prints_them) {
  double least = 0, most = 0;
  for (const Geo& geo : classic().geos) {
    for (const std::string* text : {&geo.latitude, &geo.longitude}) {
      char printed[32];
      std::snprintf(printed, sizeof printed, "%.6g", static_cast<double>(std::stof(*text)));
      ASSERT_EQ(printed, *text);
    }
    ASSERT_LE(std::abs(std::stod(geo.latitude)), 90);
    ASSERT_LE(std::abs(std::stod(geo.longitude)), 180);
    least = std::min(least, std::stod(geo.longitude));
    most = std::max(most, std::stod(geo.longitude));
  }
  EXPECT_LT(least, -179.8);
  EXPECT_GT(most, 175);
}

TEST(Generator, names_lean_to_a) {
  double first = share_of_users([](const User& user) { return user.first[0] == 'A'; });
  double last = share_of_users([](const User& user) { return user.last[0] == 'A'; });
  EXPECT_BETWEEN(first, 0.25, 0.7);
  EXPECT_BETWEEN(last, 0.15, 0.6);
}

TEST(Generator, young_and_early_users_have_more_followers) {
  std::map<int, std::vector<double>> by_age;
  std::map<unsigned, std::vector<double>> by_year;
  for (size_t i = 0; i < classic().pins.size(); ++i) {
    const Pin& pin = classic().pins[i];
    if (pin.followers == no_user) continue;
    int64_t age = classic().users[i].age;
    by_age[age <= 24   ? 0
           : age <= 35 ? 1
           : age <= 50 ? 2
                       : 3]
        .push_back(followers_of(pin.followers));
    by_year[year_of(classic().users[i].joined)].push_back(followers_of(pin.followers));
  }
  EXPECT_BETWEEN(median(by_age[0]), 90e3, 190e3);  // 130k, 22k, 7k, 3k in the real set
  EXPECT_BETWEEN(median(by_age[1]), 15e3, 33e3);
  EXPECT_BETWEEN(median(by_age[2]), 4e3, 11e3);
  EXPECT_BETWEEN(median(by_age[3]), 2e3, 7e3);
  EXPECT_BETWEEN(median(by_year[2015]), 105e3, 230e3);  // 160k, 20k, 4k
  EXPECT_BETWEEN(median(by_year[2016]), 14e3, 28e3);
  EXPECT_BETWEEN(median(by_year[2017]), 2.5e3, 7e3);
}

TEST(Generator, titles_and_descriptions_carry_signs_at_the_stated_rates) {
  auto contains = [](const std::string& text, std::string_view sign) {
    return text.find(sign) != std::string::npos;
  };
  EXPECT_NEAR(share([](const Pin& p) { return has_non_ascii(p.title); }), 144.0 / 1380, 0.03);
  EXPECT_NEAR(share([](const Pin& p) { return has_non_ascii(p.description); }), 591.0 / 1380, 0.06);
  EXPECT_NEAR(share([](const Pin& p) { return has_wide(p.title); }), 17.0 / 1380, 0.006);
  EXPECT_NEAR(share([](const Pin& p) { return has_wide(p.description); }), 15.0 / 1380, 0.006);
  EXPECT_NEAR(share([&](const Pin& p) { return contains(p.title, "\""); }), 11.0 / 1380, 0.005);
  EXPECT_NEAR(share([&](const Pin& p) { return contains(p.description, "\""); }), 30.0 / 1380,
              0.01);
  EXPECT_NEAR(share([&](const Pin& p) { return contains(p.title, "'"); }), 83.0 / 1380, 0.02);
  EXPECT_NEAR(share([&](const Pin& p) { return contains(p.description, "'"); }), 249.0 / 1380,
              0.04);
  EXPECT_NEAR(share([&](const Pin& p) { return contains(p.title, "\n"); }), 2.0 / 1380, 0.0012);
  EXPECT_NEAR(share([&](const Pin& p) { return contains(p.description, "…\u00a0"); }), 0.354, 0.05);
  EXPECT_NEAR(share([&](const Pin& p) { return contains(p.poster, "|"); }), 0.155, 0.04);
  EXPECT_GT(share([](const Pin& p) { return p.title == "Untitled"; }), 0);
  EXPECT_GT(share([](const Pin& p) { return p.description == "Untitled"; }), 0);
  EXPECT_GT(share([&](const Pin& p) { return contains(p.title, "עיצוב"); }), 0);
  EXPECT_NEAR(share([](const Pin& p) { return p.poster.back() == ' '; }), 0.0186, 0.015);
  for (const Pin& pin : classic().pins) {
    for (const std::string* text : {&pin.title, &pin.description, &pin.poster, &pin.tags}) {
      ASSERT_EQ(text->find_first_of("\\\t"), std::string::npos) << *text;
      ASSERT_FALSE(text->empty());
    }
  }
}

TEST(Generator, lengths_are_those_of_the_real_rows) {
  std::vector<double> titles, descriptions, tags, bytes;
  for (const Pin& pin : classic().pins) {
    titles.push_back(static_cast<double>(characters(pin.title)));
    descriptions.push_back(static_cast<double>(characters(pin.description)));
    tags.push_back(static_cast<double>(characters(pin.tags)));
    bytes.push_back(static_cast<double>(pin.id.size() + pin.title.size() + pin.description.size() +
                                        pin.poster.size() + pin.followers.size() + pin.tags.size() +
                                        pin.type.size() + pin.image.size() + pin.location.size() +
                                        pin.category.size()));
    ASSERT_LE(titles.back(), 199) << pin.title;
    ASSERT_LE(characters(pin.poster), 268U);
    if (pin.description.ends_with("…\u00a0")) {
      ASSERT_THAT(descriptions.back(), AllOf(Ge(178), Le(180)));
    } else {
      ASSERT_LE(descriptions.back(), 180) << pin.description;
    }
    ASSERT_LE(tags.back(), 280) << pin.tags;
  }
  EXPECT_NEAR(median(titles), 49, 8);
  EXPECT_NEAR(median(descriptions), 146, 18);
  EXPECT_NEAR(median(tags), 151, 12);
  double sum = 0;
  for (double size : bytes) sum += size;
  EXPECT_NEAR(sum / static_cast<double>(bytes.size()), 524, 25);
  EXPECT_LT(*std::max_element(bytes.begin(), bytes.end()), 1'000);
}

TEST(Generator, tags_are_nine_and_image_addresses_have_the_two_shapes) {
  for (const Pin& pin : classic().pins) {
    if (pin.image != no_image) {
      bool film = pin.type != "image";
      std::string_view base = film ? "https://i.pinimg.com/videos/thumbnails/originals/"
                                   : "https://i.pinimg.com/originals/";
      ASSERT_TRUE(pin.image.starts_with(base)) << pin.image;
      std::string_view path = std::string_view(pin.image).substr(base.size());
      std::string folders = {path[0], path[1], path[3], path[4], path[6], path[7]};
      ASSERT_EQ(path.substr(9, 6), folders);
      ASSERT_EQ(path.find('.'), 41U);
      ASSERT_LE(pin.image.size(), 102U);
      if (film) ASSERT_TRUE(path.ends_with(".0000001.jpg"));
    }
  }
  auto nine =
      share([](const Pin& p) { return std::count(p.tags.begin(), p.tags.end(), ',') == 8; });
  EXPECT_NEAR(nine, 1362.0 / 1380, 0.008);
}

}  // namespace
}  // namespace pinpipe::source
