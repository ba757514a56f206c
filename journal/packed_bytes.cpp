#include "journal/packed_bytes.h"

#include <zstd.h>

#include <array>
#include <cmath>
#include <memory>

#include "base/check.h"

namespace tidemark::journal {
namespace {

constexpr int kLevel = 1;
constexpr std::size_t kPackFrom = 32;  // bytes: below, zstd's own frame eats what it saves

/// Making them anew costs more than to pack a short column.
template <class Context, auto kMake, auto kFree>
Context* context() {
  struct Free {
    void operator()(Context* each) const { kFree(each); }
  };
  thread_local const std::unique_ptr<Context, Free> mine(kMake());
  return mine.get();
}

/// Bytes that are all equally frequent: nothing to gain, and cheap to see. Matches that a count of
/// bytes does not see are found up to a long stretch only.
bool looks_random(BytesView bytes) {
  if (bytes.size() < 128) return false;
  std::array<std::uint32_t, 256> counts{};
  for (const auto each : bytes) ++counts[static_cast<unsigned char>(each)];
  double bits = 0;
  const auto all = static_cast<double>(bytes.size());
  for (const auto count : counts) {
    if (count > 0) bits += count * std::log2(all / count);
  }
  // Of 256 random bytes some are there twice, so that they seem to need 7.2 bits each.
  return bits > all * std::min(7.9, std::log2(all) - 0.9);
}

}  // namespace

void append_packed(Bytes& out, BytesView bytes) {
  if (bytes.size() >= kPackFrom && !looks_random(bytes)) {
    Bytes packed(ZSTD_compressBound(bytes.size()), '\0');
    const auto size =
        ZSTD_compressCCtx(context<ZSTD_CCtx, ZSTD_createCCtx, ZSTD_freeCCtx>(), packed.data(),
                          packed.size(), bytes.data(), bytes.size(), kLevel);
    TIDEMARK_CHECK(ZSTD_isError(size) == 0U);
    if (size < bytes.size()) {
      append_varint(out, size);
      out.append(packed, 0, size);
      return;
    }
  }
  append_varint(out, 0);
  out += bytes;
}

std::optional<BytesView> take_packed(VarintReader& from, std::size_t size, Bytes& room) {
  const auto stored = from.take();
  if (!from.ok() || stored > from.left()) return std::nullopt;
  if (stored == 0) {
    const auto bytes = from.take_bytes(size);
    return from.ok() ? std::optional(bytes) : std::nullopt;
  }
  const auto packed = from.take_bytes(stored);
  if (ZSTD_getFrameContentSize(packed.data(), packed.size()) != size) return std::nullopt;
  room.resize(size);
  const auto unpacked = ZSTD_decompressDCtx(context<ZSTD_DCtx, ZSTD_createDCtx, ZSTD_freeDCtx>(),
                                            room.data(), room.size(), packed.data(), packed.size());
  if (ZSTD_isError(unpacked) != 0U || unpacked != size) return std::nullopt;
  return BytesView(room);
}

}  // namespace tidemark::journal
