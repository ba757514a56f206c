// test/fuzz/fuzz_journal_section.cpp
//
// A section as a peer sends it. Input: format (1 byte), count (u32), then the payload.

#include <cstdint>

#include "journal/section.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark::journal;
  constexpr std::size_t kHead = 5;
  if (size < kHead) return 0;
  const tidemark::BytesView bytes(reinterpret_cast<const char*>(data), size);
  Section section;
  section.format = static_cast<SectionFormat>(data[0]);
  section.count = tidemark::read_le<std::uint32_t>(bytes, 1);
  section.sequence = 1;
  section.payload = bytes.substr(kHead);
  const auto inspected = inspect(section);
  if (inspected) {
    TIDEMARK_CHECK(inspected.value().kinds() != 0);
    TIDEMARK_CHECK(inspected.value().section() == section);
  }
  return 0;
}
