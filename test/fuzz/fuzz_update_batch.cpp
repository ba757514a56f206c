// test/fuzz/fuzz_update_batch.cpp
//
// A batch of updates as it comes off the bus. What was taken once must come back as the same bytes.

#include <cstdint>

#include "model/pv_update.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const auto decoded = model::decode_updates({reinterpret_cast<const char*>(data), size});
  if (!decoded) return 0;
  const auto bytes = model::encode_updates(decoded.value());
  const auto again = model::decode_updates(bytes);
  TIDEMARK_CHECK(again.ok());
  // Bytes, not values: NaN is not equal to itself.
  TIDEMARK_CHECK(model::encode_updates(again.value()) == bytes);
  return 0;
}
