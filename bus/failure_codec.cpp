// bus/failure_codec.cpp

#include <cstdint>
#include <string>
#include <tuple>

#include "bus/failure.h"
#include "model/packing_impl.h"

namespace tidemark::bus {
namespace {

struct Failure {
  std::uint8_t code = 0;
  std::string message;
  static auto fields(auto& s) { return std::tie(s.code, s.message); }
};

}  // namespace

Bytes pack_failure(const Error& error) {
  return model::pack(Failure{static_cast<std::uint8_t>(error.code), error.message});
}

Error unpack_failure(BytesView payload) {
  auto read = model::unpack<Failure>(payload);
  if (!read) return Error{Code::kCorruption, "a failed answer without a reason"};
  const auto& failure = read.value();
  const bool known = failure.code >= static_cast<std::uint8_t>(Code::kInvalidArgument) &&
                     failure.code <= static_cast<std::uint8_t>(Code::kCancelled);
  return Error{known ? static_cast<Code>(failure.code) : Code::kFailed, failure.message};
}

}  // namespace tidemark::bus
