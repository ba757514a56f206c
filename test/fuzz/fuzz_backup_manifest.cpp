// test/fuzz/fuzz_backup_manifest.cpp
//
// The list of a backup's files, as it lies there. What can be read must be written and read again
// alike; and the same text with its checksum put right, which gets behind it.

#include <cstdint>
#include <cstdio>

#include "base/check.h"
#include "journal/backup_manifest.h"

namespace {

using namespace tidemark;
using namespace tidemark::journal;

void decode(BytesView text) {
  const auto manifest = decode_backup_manifest(text);
  if (!manifest) return;
  for (const auto& file : manifest.value().files) {
    TIDEMARK_CHECK(file.path.find("../") == std::string::npos && file.path.front() != '/');
  }
  const auto again = decode_backup_manifest(encode(manifest.value()));
  TIDEMARK_CHECK(again.ok() && again.value() == manifest.value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes text(reinterpret_cast<const char*>(data), size);
  decode(text);
  const auto body = text.substr(0, text.rfind("end "));
  char end[16];
  std::snprintf(end, sizeof end, "end %08x\n", crc32(body));
  decode(body + end);
  return 0;
}
