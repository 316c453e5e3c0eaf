#include "doors/web/assets.h"

#include <array>

namespace pinpipe::web {
namespace {

constexpr char index_html[] = {
#embed "../../../web/index.html"
};
constexpr char app_js[] = {
#embed "../../../web/app.js"
};
constexpr char charts_js[] = {
#embed "../../../web/charts.js"
};
constexpr char style_css[] = {
#embed "../../../web/style.css"
};
constexpr char icon_svg[] = {
#embed "../../../web/icon.svg"
};

template <size_t size>
constexpr std::string_view view(const char (&bytes)[size]) {
  return {bytes, size};
}

constexpr std::array<Asset, 5> all = {{
    {"/", "text/html; charset=utf-8", view(index_html)},
    {"/app.js", "text/javascript; charset=utf-8", view(app_js)},
    {"/charts.js", "text/javascript; charset=utf-8", view(charts_js)},
    {"/style.css", "text/css; charset=utf-8", view(style_css)},
    {"/icon.svg", "image/svg+xml", view(icon_svg)},
}};

}  // namespace

std::span<const Asset> assets() {
  return all;
}

}  // namespace pinpipe::web
