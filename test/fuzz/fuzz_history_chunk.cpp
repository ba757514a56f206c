// test/fuzz/fuzz_history_chunk.cpp
//
// A chunk as it comes from a damaged disk; then the same bytes as the body of one, of format 1 (not
// packed, which gets behind zstd) and of format 2. What can be read must be written and read again
// alike, bit by bit.

#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/varint.h"
#include "journal/chunk.h"

namespace {

using namespace tidemark;
using namespace tidemark::journal;

bool is_sorted(const std::vector<Sample>& samples) {
  return std::is_sorted(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) {
    return a.update.channel == b.update.channel ? a.line < b.line
                                                : a.update.channel < b.update.channel;
  });
}

/// NaNs are equal whatever their bits are; here these count too.
bool same_bits(const model::PvValue& a, const model::PvValue& b) {
  if (const auto* number = std::get_if<double>(&a)) {
    return std::bit_cast<std::uint64_t>(*number) ==
           std::bit_cast<std::uint64_t>(std::get<double>(b));
  }
  return true;
}

void decode(BytesView bytes) {
  const auto header = decode_chunk_header(bytes);
  std::vector<Sample> samples;
  const auto decoded = decode_chunk(bytes, samples);
  TIDEMARK_CHECK(!decoded || header);
  if (!decoded || !is_sorted(samples)) return;
  TIDEMARK_CHECK(samples.size() == header.value().count);
  std::vector<Sample> again;
  TIDEMARK_CHECK(decode_chunk(encode_chunk(samples), again).ok());
  TIDEMARK_CHECK(again.size() == samples.size());
  for (std::size_t i = 0; i < again.size(); ++i) {
    TIDEMARK_CHECK(again[i].line == samples[i].line);
    TIDEMARK_CHECK(again[i].update == samples[i].update);
    TIDEMARK_CHECK(same_bits(again[i].update.value, samples[i].update.value));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  decode(bytes);
  if (size < 4) return 0;
  constexpr char kHidden = 4;
  for (const char format : {'\1', '\2'}) {
    Bytes crafted{format, static_cast<char>(data[0] & kHidden)};
    append_varint(crafted, data[1] + 1U);  // updates
    append_varint(crafted, 1);             // first line
    append_varint(crafted, data[2]);       // lines behind it
    for (int i = 0; i < 3; ++i) append_varint(crafted, 0);
    crafted.push_back(0);
    if (format == 1) append_varint(crafted, size - 3);
    decode(crafted + bytes.substr(3));
  }
  return 0;
}
