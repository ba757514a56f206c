#include "journal/packed_value.h"

#include <zstd.h>

#include "base/check.h"
#include "base/digest.h"
#include "base/varint.h"

namespace tidemark::journal {
namespace {

constexpr std::size_t kValuePackFrom = 64;  // bytes
constexpr int kValueZstdLevel = 3;          // once per segment, on a thread that nobody waits for
constexpr std::size_t kCrcBytes = 4;

Error corrupt_value(const char* what) {
  return Error{Code::kCorruption, std::string("a value of a segment: ") + what};
}

}  // namespace

Bytes pack_value(BytesView body) {
  Bytes packed;
  if (body.size() >= kValuePackFrom) {
    packed.resize(ZSTD_compressBound(body.size()));
    const auto size =
        ZSTD_compress(packed.data(), packed.size(), body.data(), body.size(), kValueZstdLevel);
    TIDEMARK_CHECK(ZSTD_isError(size) == 0U);
    packed.resize(size);
  }
  const bool is_packed = !packed.empty() && packed.size() < body.size();
  Bytes value;
  value.push_back(is_packed ? 1 : 0);
  append_varint(value, body.size());
  value += is_packed ? BytesView(packed) : body;
  append_crc(value);
  return value;
}

Result<Bytes> unpack_value(BytesView value, std::size_t bytes_max) {
  const auto sound = checked(value);
  if (!sound) return sound.error();
  VarintReader from(sound.value());
  const auto codec = from.take_byte();
  const auto size = from.take();
  if (!from.ok() || codec > 1 || size > bytes_max) return corrupt_value("length or codec");
  const auto body = from.take_bytes(from.left());
  if (codec == 0) {
    if (body.size() != size) return corrupt_value("length");
    return Bytes(body);
  }
  if (ZSTD_getFrameContentSize(body.data(), body.size()) != size) return corrupt_value("length");
  Bytes unpacked(size, '\0');
  const auto bytes = ZSTD_decompress(unpacked.data(), unpacked.size(), body.data(), body.size());
  if (ZSTD_isError(bytes) != 0U || bytes != size) return corrupt_value("cannot be unpacked");
  return unpacked;
}

void append_crc(Bytes& value) { append_le(value, crc32(value)); }

Result<BytesView> checked(BytesView value) {
  const auto body = unchecked(value);
  if (value.size() < kCrcBytes || read_le<std::uint32_t>(value, body.size()) != crc32(body)) {
    return corrupt_value("checksum");
  }
  return body;
}

BytesView unchecked(BytesView value) {
  return value.substr(0, value.size() < kCrcBytes ? 0 : value.size() - kCrcBytes);
}

}  // namespace tidemark::journal
