#include "journal/packed_update.h"

#include <bit>
#include <variant>

#include "model/value_types.h"

namespace tidemark::journal {
namespace {

using model::PvUpdate;
using model::TypeCode;

/// The bits of a scalar of fixed width.
std::optional<std::uint64_t> bits_of(const model::PvValue& value) {
  return std::visit(
      [](const auto& each) -> std::optional<std::uint64_t> {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, double>) {
          return std::bit_cast<std::uint64_t>(each);
        } else if constexpr (std::is_same_v<T, float>) {
          return std::bit_cast<std::uint32_t>(each);
        } else if constexpr (std::is_integral_v<T>) {
          return static_cast<std::uint64_t>(each);
        } else if constexpr (std::is_same_v<T, model::EnumIndex>) {
          return each.index;
        } else {
          return std::nullopt;
        }
      },
      value);
}

model::PvValue value_of(std::uint8_t type, std::uint64_t bits) {
  switch (static_cast<TypeCode>(type)) {
    case TypeCode::kDouble: return std::bit_cast<double>(bits);
    case TypeCode::kFloat: return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    case TypeCode::kLong: return static_cast<std::int32_t>(bits);
    case TypeCode::kShort: return static_cast<std::int16_t>(bits);
    case TypeCode::kChar: return static_cast<std::uint8_t>(bits);
    case TypeCode::kEnum: return model::EnumIndex{static_cast<std::uint16_t>(bits)};
    default: return {};
  }
}

}  // namespace

std::optional<PackedUpdate> pack_update(const PvUpdate& update) {
  if (update.event != PvUpdate::Event::kValue || update.hidden_before != 0) return std::nullopt;
  const auto bits = bits_of(update.value);
  if (!bits) return std::nullopt;
  return PackedUpdate{update.taken_at.time_since_epoch().count(), *bits,
                      static_cast<std::uint8_t>(model::type_code(update.value)),
                      static_cast<std::uint8_t>(update.alarm.severity), update.alarm.status};
}

PvUpdate unpack_update(model::ChannelId channel, const PackedUpdate& packed) {
  PvUpdate update;
  update.channel = channel;
  update.taken_at = UtcTime{Duration{packed.taken_at}};
  update.alarm = {static_cast<model::Severity>(packed.severity), packed.status};
  update.value = value_of(packed.type, packed.bits);
  return update;
}

}  // namespace tidemark::journal
