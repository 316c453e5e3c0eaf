#include "app/upkeep.h"

#include "base/clock.h"
#include "base/log_line.h"
#include "io/timer.h"

namespace pinpipe::app {
namespace {

constexpr int64_t upload_age_ms_max = 7 * 86'400'000LL;
constexpr Millis sweep_interval{3'600'000};

}  // namespace

io::Task<> sweep_uploads(objects::Uploads& uploads) {
  do {
    auto removed = co_await uploads.remove_abandoned(system_clock().wall_ms() - upload_age_ms_max);
    if (!removed)
      log_warn("objects", "uploads cannot be swept", {{"reason", removed.error().text()}});
    if (removed && *removed > 0)
      log_info("objects", "abandoned uploads were removed", {{"count", std::to_string(*removed)}});
  } while (co_await io::sleep_for(sweep_interval));
}

}  // namespace pinpipe::app
