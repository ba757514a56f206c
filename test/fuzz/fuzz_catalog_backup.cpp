// test/fuzz/fuzz_catalog_backup.cpp
//
// A backup of the catalog, as it lies there; and the same bytes with their end put right, which get
// behind the checksum.

#include <cstdint>
#include <sstream>

#include "base/check.h"
#include "base/digest.h"
#include "catalog/backup.h"

namespace {

using namespace tidemark;
using namespace tidemark::catalog;

std::uint64_t read(const Bytes& bytes) {
  std::istringstream in(bytes);
  std::uint64_t entries = 0;
  const auto size = read_backup(in, [&](const Bytes& key, const Bytes& value) -> Result<Unit> {
    TIDEMARK_CHECK(!key.empty() && key.size() <= kKeyBytesMax && value.size() <= bytes.size());
    ++entries;
    return Unit{};
  });
  if (size) TIDEMARK_CHECK(size.value().entries == entries && size.value().bytes == bytes.size());
  return entries;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  const auto entries = read(bytes);
  auto whole = bytes;
  append_be(whole, std::uint32_t{0});
  append_be(whole, entries);
  append_be(whole, crc32(whole));
  (void)read(whole);
  return 0;
}
