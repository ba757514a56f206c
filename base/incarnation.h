// base/incarnation.h
//
// A number that grows at every start of a program, from a file.

#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace tidemark {

/// mkdir -p. Errors: kUnavailable naming the directory and why.
Result<Unit> make_directories(const std::string& directory);

/// The incarnation of this start: larger than that of every start before, also when the file that
/// remembers them (`incarnation`, in `directory`) was lost, since it is at least the time in
/// seconds. Durability: synced.
Result<std::uint32_t> next_incarnation(const std::string& directory);

}  // namespace tidemark
