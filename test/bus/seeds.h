// test/bus/seeds.h
//
// From how many seeds a simulation is run:
//
//   TIDEMARK_SEED=n               this seed and no other
//   TIDEMARK_SIMULATION_SEEDS=n   so many seeds, instead of as many as fit in some seconds

#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>

#include "base/time.h"

namespace tidemark::bus {

inline std::optional<std::uint64_t> number_from_environment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

struct Seeds {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// Calls `run(seed)` for one seed after the other, until one fails or there were enough.
template <class Run>
Seeds for_seeds(const Run& run) {
  const auto only = number_from_environment("TIDEMARK_SEED");
  const auto wanted = number_from_environment("TIDEMARK_SIMULATION_SEEDS");
  const auto enough_at = steady_now() + std::chrono::seconds(5);
  Seeds seeds{only.value_or(std::random_device{}()), 0};
  const auto goes_on = [&] {
    if (testing::Test::HasFailure()) return false;
    if (only) return seeds.count < 1;
    return wanted ? seeds.count < *wanted : steady_now() < enough_at;
  };
  for (; goes_on(); ++seeds.count) {
    const std::uint64_t seed = seeds.first + seeds.count;
    SCOPED_TRACE("TIDEMARK_SEED=" + std::to_string(seed));
    run(seed);
  }
  return seeds;
}

}  // namespace tidemark::bus
