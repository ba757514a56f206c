// test/fuzz/fuzz_spool.cpp
//
// A spool as an earlier life of a node left it on disk. What is taken is in order, beyond what is
// acknowledged, and no more than the bytes can hold.

#include <cstdint>

#include "journal/spool.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const auto spooled = journal::decode_spool({reinterpret_cast<const char*>(data), size});
  if (!spooled) return 0;
  std::uint64_t before = spooled.value().acknowledged;
  std::size_t bytes = spooled.value().owner.node.size();
  for (const auto& section : spooled.value().sections) {
    const auto last = section.sequence + section.count - 1;
    TIDEMARK_CHECK(section.count > 0 && last > before && last >= section.sequence);
    before = last;
    bytes += section.payload.bytes.size();
  }
  TIDEMARK_CHECK(bytes <= size);
  TIDEMARK_CHECK(spooled.value().last() >= before);
  return 0;
}
