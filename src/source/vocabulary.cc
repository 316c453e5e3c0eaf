#include "source/vocabulary.h"

#include <array>

namespace pinpipe::source {
namespace {

// clang-format off
constexpr std::string_view art_things[] = {"Watercolor Paintings", "Charcoal Sketches",
    "Abstract Canvas Art", "Character Drawings", "Clay Sculptures", "Mural Designs",
    "Ink Illustrations", "Acrylic Pour Techniques", "Street Art", "Collage Projects",
    "Portrait Studies", "Landscape Paintings"};
constexpr std::string_view art_looks[] = {"Dreamy", "Bold", "Surreal", "Minimalist", "Colorful",
    "Expressive", "Whimsical", "Contemporary"};
constexpr std::string_view art_topics[] = {"Art", "Painting", "Drawing", "Sketchbook",
    "Illustration", "Canvas Art", "Watercolor"};
constexpr std::string_view beauty_things[] = {"Skincare Routines", "Nail Designs", "Makeup Looks",
    "Hair Masks", "Face Serums", "Eyebrow Tips", "Braided Hairstyles", "Lipstick Shades",
    "Homemade Scrubs", "Eyeliner Tricks", "Curly Hair Products", "Anti Aging Secrets"};
constexpr std::string_view beauty_looks[] = {"Glowing", "Natural", "Glam", "Gentle",
    "Budget Friendly", "Korean", "Effortless", "Radiant"};
constexpr std::string_view beauty_topics[] = {"Beauty", "Skin Care", "Makeup", "Nail", "Hair",
    "Beauty Tips", "Face Care"};
constexpr std::string_view christmas_things[] = {"Christmas Wreaths", "Christmas Tree Ornaments",
    "Holiday Centerpieces", "Gingerbread Houses", "Stocking Stuffers", "Christmas Cookies",
    "Mantel Decorations", "Advent Calendars", "Winter Porch Decor", "Gift Wrapping Ideas",
    "Christmas Crafts", "Snowman Decorations"};
constexpr std::string_view christmas_looks[] = {"Festive", "Farmhouse", "Cozy", "Vintage",
    "Magical", "Dollar Store", "Traditional", "Snowy"};
constexpr std::string_view christmas_topics[] = {"Christmas", "Holiday", "Christmas Tree", "Winter",
    "Xmas", "Christmas Decor", "Noel"};
constexpr std::string_view diy_things[] = {"Mason Jar Crafts", "Macrame Wall Hangings",
    "Paper Flowers", "Scrap Wood Projects", "Resin Coasters", "Sewing Projects",
    "Upcycled Furniture", "Crochet Patterns", "Rag Rugs", "Candle Making Kits", "Yarn Crafts",
    "Felt Garlands"};
constexpr std::string_view diy_looks[] = {"Easy", "Creative", "Handmade", "Clever", "Rustic",
    "Boho", "Inexpensive", "Adorable"};
constexpr std::string_view diy_topics[] = {"Diy", "Crafts", "Diy Home", "Craft Projects", "Sewing",
    "Wood Crafts", "Homemade"};
constexpr std::string_view education_things[] = {"Classroom Activities", "Reading Worksheets",
    "Science Experiments", "Math Games", "Study Tips", "Lesson Plans", "Phonics Printables",
    "Homeschool Schedules", "Sight Word Games", "Bulletin Boards", "Writing Prompts",
    "Sensory Bins"};
constexpr std::string_view education_looks[] = {"Hands On", "Engaging", "Free", "Printable",
    "Simple", "Effective", "Fun", "Low Prep"};
constexpr std::string_view education_topics[] = {"Education", "Kids Learning", "Preschool",
    "Teaching", "Classroom", "Homeschool", "Montessori"};
constexpr std::string_view event_things[] = {"Wedding Timelines", "Party Checklists",
    "Table Settings", "Event Proposals", "Seating Charts", "Conference Badges",
    "Baby Shower Themes", "Corporate Retreats", "Invitation Templates", "Photo Booth Backdrops",
    "Balloon Arches", "Fundraiser Ideas"};
constexpr std::string_view event_looks[] = {"Elegant", "Memorable", "Stress Free", "Outdoor",
    "Modern", "Affordable", "Stunning", "Professional"};
constexpr std::string_view event_topics[] = {"Event Planning", "Party", "Wedding", "Event Decor",
    "Birthday Party", "Corporate Event", "Planner"};
constexpr std::string_view finance_things[] = {"Budget Templates", "Saving Challenges",
    "Side Hustles", "Investing Basics", "Debt Payoff Plans", "Passive Income Ideas",
    "Credit Score Tips", "Frugal Living Habits", "Retirement Plans", "Sinking Funds",
    "Money Mindset Lessons", "Grocery Budgets"};
constexpr std::string_view finance_looks[] = {"Smart", "Proven", "Realistic", "Beginner",
    "Powerful", "Painless", "Weekly", "Practical"};
constexpr std::string_view finance_topics[] = {"Finance", "Money", "Saving Money", "Budgeting",
    "Investing", "Personal Finance", "Debt"};
constexpr std::string_view home_things[] = {"Living Room Ideas", "Bookcase Styling",
    "Kitchen Cabinets", "Gallery Walls", "Entryway Benches", "Bathroom Makeovers",
    "Bedroom Layouts", "Accent Walls", "Coffee Table Decor", "Throw Pillows", "Window Treatments",
    "Small Space Storage"};
constexpr std::string_view home_looks[] = {"Modern Farmhouse", "Scandinavian", "Cozy", "Neutral",
    "Industrial", "Bohemian", "Timeless", "Airy"};
constexpr std::string_view home_topics[] = {"Home Decor", "Living Room", "Interior Design",
    "Bedroom", "Kitchen", "House", "Apartment"};
constexpr std::string_view fashion_things[] = {"Leather Jackets", "Summer Outfits",
    "Sneaker Pairings", "Suit Combinations", "Beard Styles", "Denim Looks", "Streetwear Fits",
    "Dress Shoes", "Capsule Wardrobes", "Graphic Tees", "Winter Coats", "Wrist Watches"};
constexpr std::string_view fashion_looks[] = {"Sharp", "Casual", "Classic", "Tailored", "Rugged",
    "Minimal", "Stylish", "Business Casual"};
constexpr std::string_view fashion_topics[] = {"Mens Fashion", "Menswear", "Mens Outfits",
    "Mens Style", "Streetwear", "Mens Shoes", "Suits"};
constexpr std::string_view quotes_things[] = {"Love Quotes", "Morning Affirmations", "Life Lessons",
    "Friendship Sayings", "Strength Quotes", "Funny Sayings", "Motivational Words", "Deep Thoughts",
    "Family Quotes", "Heartbreak Quotes", "Wisdom Quotes", "Gratitude Quotes"};
constexpr std::string_view quotes_looks[] = {"Inspiring", "Short", "Beautiful", "Honest",
    "Powerful", "Uplifting", "Famous", "Meaningful"};
constexpr std::string_view quotes_topics[] = {"Quotes", "Inspirational Quotes", "Life Quotes",
    "Love Quotes", "Words", "True Quotes", "Sayings"};
constexpr std::string_view tattoos_things[] = {"Wrist Tattoos", "Sleeve Tattoos", "Flower Tattoos",
    "Fine Line Tattoos", "Moon Tattoos", "Back Tattoos", "Matching Tattoos", "Dragon Tattoos",
    "Forearm Tattoos", "Compass Tattoos", "Ankle Tattoos", "Mandala Tattoos"};
constexpr std::string_view tattoos_looks[] = {"Tiny", "Delicate", "Meaningful", "Geometric",
    "Blackwork", "Feminine", "Unique", "Stunning"};
constexpr std::string_view tattoos_topics[] = {"Tattoos", "Tattoo Designs", "Body Art",
    "Small Tattoos", "Ink", "Tattoo Ideas", "Sleeve"};
constexpr std::string_view travel_things[] = {"Packing Lists", "Road Trips", "Island Getaways",
    "City Guides", "Hidden Beaches", "Camping Hacks", "Hiking Trails", "Budget Flights",
    "Bucket List Places", "Weekend Escapes", "National Parks", "Train Journeys"};
constexpr std::string_view travel_looks[] = {"Unforgettable", "Cheap", "Solo", "Breathtaking",
    "Family", "Adventurous", "Remote", "Essential"};
constexpr std::string_view travel_topics[] = {"Travel", "Travel Tips", "Vacation",
    "Places To Travel", "Adventure", "Wanderlust", "Trip"};
constexpr std::string_view vehicles_things[] = {"Muscle Cars", "Camper Vans", "Vintage Motorcycles",
    "Jeep Builds", "Electric Cars", "Pickup Trucks", "Car Accessories", "Off Road Trailers",
    "Sports Cars", "Concept Vehicles", "Classic Roadsters", "Garage Setups"};
constexpr std::string_view vehicles_looks[] = {"Custom", "Restored", "Rare", "Fast", "Luxury",
    "Rugged", "Iconic", "Futuristic"};
constexpr std::string_view vehicles_topics[] = {"Cars", "Vehicles", "Trucks", "Motorcycle", "Jeep",
    "Classic Cars", "Automotive"};

constexpr std::array<CategoryWords, 13> categories = {{
    {art_things, art_looks, art_topics}, {beauty_things, beauty_looks, beauty_topics},
    {christmas_things, christmas_looks, christmas_topics}, {diy_things, diy_looks, diy_topics},
    {education_things, education_looks, education_topics},
    {event_things, event_looks, event_topics},
    {finance_things, finance_looks, finance_topics}, {home_things, home_looks, home_topics},
    {fashion_things, fashion_looks, fashion_topics}, {quotes_things, quotes_looks, quotes_topics},
    {tattoos_things, tattoos_looks, tattoos_topics}, {travel_things, travel_looks, travel_topics},
    {vehicles_things, vehicles_looks, vehicles_topics}}};

constexpr std::string_view audiences[] = {"Beginners", "Busy Moms", "Small Spaces", "Kids",
    "Every Budget", "Couples", "Teens", "Best Friends", "Students", "Women", "Men",
    "The Whole Family"};
constexpr std::string_view seasons[] = {"Spring", "Summer", "Fall", "Winter", "This Weekend",
    "2019", "2020", "2021", "2022", "the New Year"};

constexpr std::string_view titles[] = {
    "%t", "%a %t", "%n %a %t to Try", "%n %a %t for %u", "How to Find the Best %a %t",
    "%a %t for %s",
    "The Ultimate Guide to %a %t for %u", "%n %a %t You Need to See This Year",
    "%t for %u - Ideas and Inspiration",
    "The Best %a %t for %u in %s", "%n+ %a %t That Will Inspire You", "%a %t: %n Ideas for %u",
    "%n Easy Ways to Get %a %t on a Budget", "My Favorite %a %t of %s",
    "Save This List of %n %a %t for Later",
    "Everything You Need to Know About %a %t Before %s", "%a %t | %n Tips for %u"};
constexpr std::string_view titles_apostrophe[] = {
    "%n %a %t You'll Love", "%t You Shouldn't Miss", "A Beginner's Guide to %a %t",
    "Don't Skip These %n %a %t",
    "Women's and Men's %a %t", "%n %t That Aren't Boring", "Here's How to Plan %a %t for %u"};
constexpr std::string_view titles_quoted[] = {
    "\"%a\" - %t for %u", "The \"%n Minute\" Rule for %a %t", "24\"x36\" Poster: %a %t"};
constexpr std::string_view titles_accented[] = {
    "%a %t – %n Ideas", "%n %t You’ll Want to Try", "Décor Inspiration: %a %t", "%t • %a • %s",
    "Café Style %t for %u",
    "%a %t — %u", "The “%a” Look: %t", "%n %a %t…", "Crème de la Crème: %t", "%t ★ %n Ideas",
    "%a %t® for %u", "☀ %a %t for %s"};
constexpr std::string_view titles_foreign[] = {
    "أفكار بسيطة وجميلة للمنزل", "רעיונות יפים לעיצוב הבית", "Идеи для дома своими руками",
    "Όμορφες ιδέες για το σπίτι",
    "おしゃれなインテリアのアイデア", "Ideas fáciles para decorar en Navidad",
    "Schöne Ideen für Zuhause – einfach & günstig", "예쁜 아이디어 모음"};
constexpr std::string_view titles_emoji[] = {
    "%a %t 😍", "%t 🎄✨", "🤍 %a %t", "%n %t 🔥🔥", "%a %t 💘", "🍂 %t for %s", "𝒜𝑒𝓈𝓉𝒽𝑒𝓉𝒾𝒸 %t",
    "%t 👩‍🎨 %a"};
constexpr std::string_view titles_newline[] = {"%a %t\n", "%a\n%t"};

constexpr std::string_view sentences[] = {
    "Looking for %a %t?", "Here are the best %a %t to try right now.",
    "These %t are perfect for %u and so easy to get started with.",
    "Find out how to choose %a %t without spending a fortune.",
    "Click through for %n ideas and a free printable checklist.",
    "Get inspired by %n %a %t.", "This post shows all the steps, tips and tricks for %t.",
    "Perfect for %s!",
    "Save this pin for later and share it with your friends.",
    "From simple to stunning, there is something here for %u.",
    "Learn everything about %t in this complete guide.",
    "Discover %n %a %t that everyone will be talking about in %s.",
    "Great for %u, for gifts, or just for fun.", "Follow for more %a ideas.",
    "Read more on the blog.",
    "Free shipping on all orders over $%n.", "A collection of %a %t from around the web.",
    "Step by step tutorial with photos and a full list of supplies.",
    "Try one of these %t today and see the difference.", "#ideas #inspiration #%n",
    "Shop the look and find similar %t online.",
    "We have rounded up %n of our favorite %t for %u.",
    "Simple, quick and beautiful: %a %t for %s.", "Made with care, ready to ship."};
constexpr std::string_view sentences_apostrophe[] = {
    "You'll love these %a %t.", "If you're looking for %t, you've come to the right place.",
    "Don't miss these %n %a %t!",
    "It's time to try %a %t.", "Here's what we've learned about %t.", "Let's talk about %t.",
    "There's nothing better than %a %t in %s.",
    "I can't get enough of these %t.", "Today's post is all about %a %t."};
constexpr std::string_view sentences_quoted[] = {
    "They call it the \"%a\" look.", "\"Why did I not try %t before?\"",
    "Size: 16\"x20\", printed to order.", "The answer to \"how do I begin?\" is %t."};
constexpr std::string_view sentences_accented[] = {
    "You’ll love these %a %t.", "Home décor and %t for %u.", "%t – simple, quick, %a.",
    "• %n %t • %a • made for %u", "“%a” is the word for these %t.",
    "It’s all about %a %t…", "Entrées, soirées and %t for %u.", "Only £%n for %a %t."};
constexpr std::string_view sentences_emoji[] = {
    "😍 %a %t for %u!", "✨🎨 %n %t you need.", "So in love with these %t 💕", "🔥 %a %t in %s.",
    "Tap to see more 👉 %t."};

constexpr std::string_view tag_heads[] = {"", "Diy ", "Easy ", "Modern ", "Cute ", "Best ",
    "Simple ", "Vintage ", "Small ", "Unique ", "Creative ", "Amazing ", "Beautiful ", "Aesthetic ",
    "Trendy ", "Cool "};
constexpr std::string_view tag_tails[] = {"", " Ideas", " Inspiration", " Designs", " Tips",
    " For Women", " Tutorial", " Hacks", " Lover", " Style", " Projects", " Aesthetic", " Trends",
    " Goals", " Gifts", " Collection"};

constexpr std::string_view brand_looks[] = {"Rustic", "Crafty", "Wild", "Golden", "Happy", "Little",
    "Urban", "Sunny", "Modern", "Salty", "Velvet", "Humble", "Lucky", "Simple", "Daily", "Northern",
    "Coastal", "Bright", "Vintage", "Clever", "Gentle", "Brave", "Curious", "Sparkling", "Paper",
    "Copper", "Sweet", "Quiet", "Merry", "Woodland", "Dapper", "Honest", "Bold", "Blue", "Crimson",
    "Ivory", "Silver", "Pretty", "Frugal", "Busy", "Cozy", "Creative", "Roaming", "Tiny", "Emerald",
    "Floral", "Dreamy", "Nomad", "Savvy", "Stylish", "Thrifty", "Witty", "Zen", "Artful", "Breezy",
    "Classic", "Elegant", "Fresh", "Graceful", "Heartland", "Jolly", "Keen", "Lively", "Mellow"};
constexpr std::string_view brand_things[] = {"Willow", "Nest", "Acorn", "Lantern", "Teacher",
    "Traveler", "Kitchen", "Closet", "Garden", "Needle", "Thread", "Compass", "Fox", "Robin",
    "Sparrow", "Meadow", "Cottage", "Barn", "Harbor", "River", "Mountain", "Peach", "Maple",
    "Cedar", "Daisy", "Poppy", "Penny", "Wallet", "Garage", "Wheel", "Engine", "Gentleman", "Lady",
    "Mama", "Papa", "Sisters", "Brush", "Canvas", "Pencil", "Notebook", "Button", "Ribbon",
    "Anchor", "Feather", "Moon", "Star", "Cloud", "Rain", "Bee", "Owl", "Bear", "Wolf", "Rose",
    "Lily", "Fern", "Stone", "Pebble", "Shell", "Wave", "Sail", "Map", "Suitcase", "Candle",
    "Mirror"};
constexpr std::string_view brand_tails[] = {"", " Co", " Studio", " Home", " Blog", " Living",
    " Designs", " Crafts", " Magazine", " Shop", " Diaries", ".com", " & Co.", " Life", " Journal",
    " Collective"};
constexpr std::string_view brand_subtitles[] = {"Travel, DIY & Recipes", "Home Decor Ideas",
    "Money Tips for Families", "Free Printables", "Tattoo Ideas", "Style for Every Day",
    "Teaching Resources", "Crafts for Kids", "Simple Living Blog", "Wedding & Event Planning",
    "Skincare, Makeup & Hair", "Quotes and Motivation",
    "Parenting, Crafts, Free Printables & Easy Family Recipes", "Classic Cars", "Art Lessons",
    "Lifestyle Blogger"};
// clang-format on

constexpr Vocabulary everything = {.audiences = audiences,
                                   .seasons = seasons,
                                   .titles = titles,
                                   .sentences = sentences,
                                   .titles_apostrophe = titles_apostrophe,
                                   .sentences_apostrophe = sentences_apostrophe,
                                   .titles_quoted = titles_quoted,
                                   .sentences_quoted = sentences_quoted,
                                   .titles_accented = titles_accented,
                                   .sentences_accented = sentences_accented,
                                   .titles_foreign = titles_foreign,
                                   .titles_emoji = titles_emoji,
                                   .sentences_emoji = sentences_emoji,
                                   .titles_newline = titles_newline,
                                   .tag_heads = tag_heads,
                                   .tag_tails = tag_tails,
                                   .brand_looks = brand_looks,
                                   .brand_things = brand_things,
                                   .brand_tails = brand_tails,
                                   .brand_subtitles = brand_subtitles};

}  // namespace

const CategoryWords& words_of(size_t category) {
  return categories[category];
}

const Vocabulary& vocabulary() {
  return everything;
}

}  // namespace pinpipe::source
