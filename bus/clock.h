// bus/clock.h
//
// Where a link takes its time from: the machine, or a simulation that turns it by hand.

#pragma once

#include <functional>

#include "base/time.h"

namespace tidemark::bus {

struct Clock {
  std::function<SteadyTime()> steady = &steady_now;
  std::function<UtcTime()> utc = &utc_now;
};

}  // namespace tidemark::bus
