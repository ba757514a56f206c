// test/fuzz/fuzz_replay.cpp
//
// What is asked of replays, and what they say: any bytes must be refused as corrupt, or come back
// the same.

#include <cstdint>

#include "base/check.h"
#include "model/api/replay.h"

namespace {

using namespace tidemark;
namespace api = model::api;

template <class T>
void check(BytesView bytes) {
  const auto read = model::unpack<T>(bytes);
  if (!read) {
    TIDEMARK_CHECK(read.error().code == Code::kCorruption);
    return;
  }
  const auto packed = model::pack(read.value());
  const auto again = model::unpack<T>(packed);
  TIDEMARK_CHECK(again.ok());
  TIDEMARK_CHECK(model::pack(again.value()) == packed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(reinterpret_cast<const char*>(data), size);
  check<api::ReplayRequest>(bytes);
  check<api::ReplayStarted>(bytes);
  check<api::ReplayControl>(bytes);
  check<api::ReplayAck>(bytes);
  check<api::ReplayRead>(bytes);
  check<api::ReplayList>(bytes);
  check<api::ReplayNews>(bytes);
  return 0;
}
