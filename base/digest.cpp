#include "base/digest.h"

#include <sodium.h>
#include <zlib.h>

#include "base/check.h"

namespace tidemark {

std::uint32_t crc32(BytesView bytes, std::uint32_t seed) {
  return static_cast<std::uint32_t>(
      ::crc32_z(seed, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

Digest digest(BytesView first, BytesView second) {
  crypto_generichash_state state;
  Digest out{};
  const auto bytes = [](BytesView view) {
    return reinterpret_cast<const unsigned char*>(view.data());
  };
  TIDEMARK_CHECK(crypto_generichash_init(&state, nullptr, 0, out.size()) == 0);
  crypto_generichash_update(&state, bytes(first), first.size());
  crypto_generichash_update(&state, bytes(second), second.size());
  crypto_generichash_final(&state, out.data(), out.size());
  return out;
}

}  // namespace tidemark
