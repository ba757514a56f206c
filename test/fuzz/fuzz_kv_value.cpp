// test/fuzz/fuzz_kv_value.cpp
//
// Any bytes as a value off the bus, and as the text of a type and of a value. What was taken once
// must come back the same.

#include <cstdint>

#include "model/kv/text.h"
#include "model/packing.h"

namespace {

using namespace tidemark;
using namespace tidemark::model;

void check_value(BytesView bytes) {
  const auto value = unpack<kv::Value>(bytes);
  if (!value) {
    TIDEMARK_CHECK(value.error().code == Code::kCorruption);
    return;
  }
  TIDEMARK_CHECK(kv::check_size(value.value()).ok());
  const auto again = unpack<kv::Value>(pack(value.value()));
  TIDEMARK_CHECK(again.ok());
  TIDEMARK_CHECK(kv::same_value(again.value(), value.value()));
  (void)kv::to_text(value.value());
}

void check_type(BytesView text) {
  const auto type = kv::parse_type(text);
  if (!type) return;
  const auto again = kv::parse_type(kv::to_text(type.value()));
  TIDEMARK_CHECK(again.ok());
  TIDEMARK_CHECK(again.value() == type.value());
  const auto sent = unpack<kv::Type>(pack(type.value()));
  TIDEMARK_CHECK(sent.ok());
  TIDEMARK_CHECK(sent.value() == type.value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(reinterpret_cast<const char*>(data), size);
  check_value(bytes);
  check_type(bytes);
  (void)unpack<kv::Type>(bytes);
  (void)kv::parse_text(bytes, kv::Type{});
  return 0;
}
