// test/fuzz/fuzz_record_batch.cpp
//
// A batch of records as it comes off the bus. What was taken once must come back as the same bytes.

#include <cstdint>

#include "model/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const auto decoded = model::decode_records({reinterpret_cast<const char*>(data), size});
  if (!decoded) return 0;
  const auto bytes = model::encode_records(decoded.value());
  const auto again = model::decode_records(bytes);
  TIDEMARK_CHECK(again.ok());
  // Bytes, not values: NaN is not equal to itself.
  TIDEMARK_CHECK(model::encode_records(again.value()) == bytes);
  return 0;
}
