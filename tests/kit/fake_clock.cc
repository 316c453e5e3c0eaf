#include "kit/fake_clock.h"

namespace pinpipe::kit {

void FakeClock::advance(Millis by) {
  wall_ms_.fetch_add(by.count());
  steady_ns_.fetch_add(by.count() * 1'000'000);
}

}  // namespace pinpipe::kit
