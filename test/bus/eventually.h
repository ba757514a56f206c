// test/bus/eventually.h
//
// Waits for what another thread, or another process, brings about.

#pragma once

#include <functional>
#include <thread>

#include "base/time.h"

namespace tidemark::bus {

/// False: it does not hold after `patience`.
inline bool eventually(Duration patience, const std::function<bool()>& holds) {
  const auto deadline = steady_now() + patience;
  while (!holds()) {
    if (steady_now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace tidemark::bus
