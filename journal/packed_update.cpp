#include "journal/packed_update.h"

#include "journal/chunk_columns.h"

namespace tidemark::journal {

using model::PvUpdate;

std::optional<PackedUpdate> pack_update(const PvUpdate& update) {
  if (update.event != PvUpdate::Event::kValue || update.hidden_before != 0) return std::nullopt;
  const auto type = model::type_code(update.value);
  if (!is_plain(type)) return std::nullopt;
  return PackedUpdate{update.taken_at.time_since_epoch().count(), bits_of(update.value),
                      static_cast<std::uint8_t>(type),
                      static_cast<std::uint8_t>(update.alarm.severity), update.alarm.status};
}

PvUpdate unpack_update(model::ChannelId channel, const PackedUpdate& packed) {
  PvUpdate update;
  update.channel = channel;
  update.taken_at = UtcTime{Duration{packed.taken_at}};
  update.alarm = {static_cast<model::Severity>(packed.severity), packed.status};
  update.value = value_of(static_cast<model::TypeCode>(packed.type), packed.bits);
  return update;
}

}  // namespace tidemark::journal
