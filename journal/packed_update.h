// journal/packed_update.h
//
// An update in memory, without its channel and line: a scalar of fixed width in 20 bytes. What does
// not fit is kept elsewhere, and `bits` says where.

#pragma once

#include <cstdint>
#include <optional>

#include "model/pv_update.h"

namespace tidemark::journal {

struct PackedUpdate {
  /// In place of a model::TypeCode.
  static constexpr std::uint8_t kOther = 0xff;   // kept elsewhere
  static constexpr std::uint8_t kAbsent = 0xfe;  // there is none

  std::int64_t taken_at = 0;
  std::uint64_t bits = 0;  // of a scalar; else where the update is
  std::uint8_t type = kAbsent;
  std::uint8_t severity = 0;
  std::uint8_t status = 0;
};

/// Empty when it must be kept elsewhere.
std::optional<PackedUpdate> pack_update(const model::PvUpdate& update);
/// Of one that pack_update() made.
model::PvUpdate unpack_update(model::ChannelId channel, const PackedUpdate& packed);

}  // namespace tidemark::journal
