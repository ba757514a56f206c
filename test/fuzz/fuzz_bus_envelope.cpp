// test/fuzz/fuzz_bus_envelope.cpp
//
// Any bytes: decode_envelope() must say no, or give what encodes to the same meaning; the reason
// in a failed answer may be anything.

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "bus/envelope.h"
#include "bus/failure.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const BytesView bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(bus::unpack_failure(bytes));
  const auto decoded = bus::decode_envelope(bytes);
  if (!decoded) {
    TIDEMARK_CHECK(decoded.error().code == Code::kCorruption);
    return 0;
  }
  const auto twice = bus::decode_envelope(bus::encode_envelope(decoded.value()));
  TIDEMARK_CHECK(twice.ok());
  TIDEMARK_CHECK(twice.value() == decoded.value());
  if (decoded.value().kind == bus::EnvelopeKind::kFailed) {
    static_cast<void>(bus::unpack_failure(decoded.value().payload));
  }
  return 0;
}
