// test/fuzz/fuzz_segment.cpp
//
// The skeleton and the header of a segment, what it takes, which lines expired and the state behind
// them, as they come from a damaged disk; then the same bytes behind a right checksum, which gets
// further. What can be read must be written and read again alike.

#include <cstdint>

#include "base/varint.h"
#include "journal/base_state.h"
#include "journal/expired_runs.h"
#include "journal/packed_value.h"
#include "journal/segment_amounts.h"
#include "journal/segment_header.h"
#include "journal/skeleton.h"

namespace {

using namespace tidemark;
using namespace tidemark::journal;

void decode(BytesView bytes) {
  if (const auto skeleton = decode_skeleton(bytes)) {
    const auto again = decode_skeleton(encode_skeleton(skeleton.value()));
    TIDEMARK_CHECK(again && again.value() == skeleton.value());
  }
  if (const auto header = decode_header(bytes)) {
    const auto again = decode_header(encode_header(header.value()));
    TIDEMARK_CHECK(again && again.value() == header.value());
  }
  if (const auto amounts = decode_amounts(bytes)) {
    const auto again = decode_amounts(encode_amounts(Line{1}, amounts.value()).second);
    TIDEMARK_CHECK(again && again.value() == amounts.value());
  }
  const auto key = expired_key(RecordClass::kPvUpdates, Line{4711});
  if (const auto run = decode_run(key, bytes)) {
    const auto [again_key, value] = encode_run(run.value().first, run.value().second);
    const auto again = decode_run(again_key, value);
    TIDEMARK_CHECK(again_key == key && again && again.value() == run.value());
  }
  BaseState base;
  if (decode_base(bytes, base)) {
    base.line = Line{4711};
    for (const auto& row : encode_base(base)) {
      BaseState again;
      TIDEMARK_CHECK(decode_base(row.second, again) && again.keyframe == base.keyframe);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  decode(bytes);
  Bytes header = bytes;
  append_crc(header);
  decode(header);
  Bytes value(1, '\0');  // not packed
  append_varint(value, size);
  value += bytes;
  append_crc(value);
  decode(Bytes(1, '\1') + value);
  return 0;
}
