// actors/failure.h
//
// An Error on its way between actors: CAF carries errors as a small enum and a message.

#pragma once

#include <caf/error.hpp>
#include <caf/result.hpp>

#include "base/result.h"

namespace tidemark::actors {

/// The Codes, as CAF wants them.
enum class failure : std::uint8_t {
  invalid_argument = 1,
  not_found = 2,
  conflict = 3,
  timeout = 4,
  unavailable = 5,
  refused = 6,
  corruption = 7,
  failed = 8,
};
std::string to_string(failure code);

caf::error to_caf(const Error& error);
/// Errors of CAF itself (an actor that is down, a dropped promise) become kFailed.
Error from_caf(const caf::error& error);

template <class T>
caf::result<T> to_caf(Result<T> result) {
  if (!result) return to_caf(result.error());
  return std::move(result).value();
}

}  // namespace tidemark::actors

CAF_ERROR_CODE_ENUM(tidemark::actors::failure, "tidemark")
