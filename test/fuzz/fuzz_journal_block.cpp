// test/fuzz/fuzz_journal_block.cpp
//
// A block as it comes from a damaged disk, and the same with right checksums: what is behind
// them must not be believed either.

#include <cstdint>
#include <cstring>

#include "journal/block_codec.h"

namespace {

void decode(tidemark::BytesView bytes) {
  using namespace tidemark::journal;
  const auto header = decode_block_header(bytes);
  const auto block = decode_block(bytes);
  TIDEMARK_CHECK(!block || header);
  if (block) {
    TIDEMARK_CHECK(block.value().count == header.value().count);
    TIDEMARK_CHECK(block.value().sections.size() == header.value().sections);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tidemark::Bytes bytes(reinterpret_cast<const char*>(data), size);
  decode(bytes);
  if (size < tidemark::journal::kBlockHeaderBytes) return 0;
  const auto stored = static_cast<std::uint32_t>(size - tidemark::journal::kBlockHeaderBytes);
  std::memcpy(bytes.data() + 44, &stored, sizeof stored);
  const auto payload =
      tidemark::crc32(tidemark::BytesView(bytes).substr(tidemark::journal::kBlockHeaderBytes));
  std::memcpy(bytes.data() + 64, &payload, sizeof payload);
  const auto header = tidemark::crc32(tidemark::BytesView(bytes).substr(0, 68));
  std::memcpy(bytes.data() + 68, &header, sizeof header);
  decode(bytes);
  return 0;
}
