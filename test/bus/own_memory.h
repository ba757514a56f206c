// test/bus/own_memory.h
//
// What this process takes of the machine's memory, for tests that say what it may grow by.

#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace tidemark::bus {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryIsOurs = false;  // a sanitizer keeps what was freed
#else
inline constexpr bool kMemoryIsOurs = true;
#endif

/// A line of /proc/self/status: "VmRSS" is what is resident, "VmPeak" the most that was ever asked
/// for, touched or not.
inline std::int64_t own_memory_bytes(const std::string& line) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kib = 0;
    if (word == line + ":" && status >> kib) return kib * 1024;
  }
  return 0;
}

}  // namespace tidemark::bus
