// test/fuzz/fuzz_bus_frame.cpp
//
// Any bytes: decode_frame() must say no, or give a header that encodes to the same meaning.

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "bus/frame.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const auto decoded = bus::decode_frame(BytesView(reinterpret_cast<const char*>(data), size));
  if (!decoded) {
    TIDEMARK_CHECK(decoded.error().code == Code::kCorruption);
    return 0;
  }
  const auto& view = decoded.value();
  const Bytes again = bus::encode_frame(view.header, view.payload);
  const auto twice = bus::decode_frame(again);
  TIDEMARK_CHECK(twice.ok());
  TIDEMARK_CHECK(twice.value().header == view.header);
  TIDEMARK_CHECK(twice.value().payload == view.payload);
  return 0;
}
