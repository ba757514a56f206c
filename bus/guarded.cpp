// bus/guarded.cpp

#include "bus/guarded.h"

#include <spdlog/spdlog.h>

#include <exception>

namespace tidemark::bus {

void log_thrown(const char* what) {
  try {
    throw;
  } catch (const std::exception& failure) {
    spdlog::error("bus: {} threw: {}", what, failure.what());
  } catch (...) {
    spdlog::error("bus: {} threw", what);
  }
}

}  // namespace tidemark::bus
