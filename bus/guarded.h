// bus/guarded.h
//
// Runs a callback of whoever uses the link.

#pragma once

namespace tidemark::bus {

void log_thrown(const char* what);  // in a catch block

/// A callback's exception is its own problem: it is logged, and the loop goes on. False: it threw.
template <class F>
bool guarded(const char* what, F&& call) {
  try {
    call();
    return true;
  } catch (...) {
    log_thrown(what);
    return false;
  }
}

}  // namespace tidemark::bus
