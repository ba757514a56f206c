// test/fuzz/fuzz_decimated.cpp
//
// Decimated rows, and what is said of their lines, as they come from a damaged disk; then the same
// bytes behind a right checksum, which gets further. What can be read must be written and read
// again alike.

#include <cstdint>

#include "base/check.h"
#include "journal/decimated_row.h"
#include "journal/decimated_runs.h"
#include "journal/packed_value.h"
#include "journal/projection_keys.h"

namespace {

using namespace tidemark;
using namespace tidemark::journal;

void decode(BytesView bytes) {
  constexpr std::uint32_t kShard = 7;
  if (const auto rows = decode_rows(bytes, kShard)) {
    const auto written = encode_rows(rows.value());
    const auto again = decode_rows(written, kShard);
    TIDEMARK_CHECK(again && again.value().size() == rows.value().size());
    TIDEMARK_CHECK(encode_rows(again.value()) == written);
    for (const auto& each : rows.value()) {
      TIDEMARK_CHECK(raw(each.channel) / kDecimatedChannels == kShard);
    }
  }
  const auto key = decimated_run_key(3'600'000'000'000, Line{4711});
  if (const auto run = decode_decimated_run(key, bytes)) {
    const auto [again_key, value] = encode_decimated_run(run.value());
    const auto again = decode_decimated_run(again_key, value);
    TIDEMARK_CHECK(again_key == key && again && again.value() == run.value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(reinterpret_cast<const char*>(data), size);
  decode(bytes);
  append_crc(bytes);
  decode(bytes);
  return 0;
}
