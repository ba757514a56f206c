// test/fuzz/fuzz_keyframe_shard.cpp
//
// A shard of a keyframe as it comes from a damaged disk; then the same bytes as a body of format 1
// that is not packed, which gets behind zstd.

#include <cstdint>

#include "base/varint.h"
#include "journal/machine_state.h"

namespace {

using namespace tidemark;
using namespace tidemark::journal;

void decode(BytesView bytes) {
  MachineState state;
  if (!decode_shard(bytes, state) || state.size() > kShardChannels) return;
  MachineState again;
  TIDEMARK_CHECK(decode_shard(encode_shard(state, 0, state.size()), again).ok());
  for (std::uint32_t channel = 0; channel < state.size(); ++channel) {
    const auto* a = state.find(model::ChannelId{channel});
    const auto* b = again.find(model::ChannelId{channel});
    TIDEMARK_CHECK((a == nullptr) == (b == nullptr));
    TIDEMARK_CHECK(a == nullptr || *a == *b);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  decode(bytes);
  Bytes crafted{1, 0};
  append_varint(crafted, size);
  decode(crafted + bytes);
  return 0;
}
