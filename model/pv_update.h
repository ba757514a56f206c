// model/pv_update.h
//
// One thing that happened to one channel: a new value, a connection made (with what the IOC
// says about the PV), or a connection lost. The unit of the live stream and of the journal.

#pragma once

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "model/pv.h"

namespace tidemark::model {

struct PvUpdate {
  /// Stored and sent: never renumber.
  enum class Event : std::uint8_t { kValue = 0, kConnected = 1, kDisconnected = 2 };

  ChannelId channel{};
  Event event = Event::kValue;
  Alarm alarm;
  std::uint32_t hidden_before = 0;     // Older updates that this one replaced in a full queue.
  UtcTime taken_at{};                  // kValue: IOC clock, may go backwards. Else: ours.
  PvValue value;                       // kValue only.
  std::shared_ptr<const PvMeta> meta;  // kConnected only, and then never null.
};
/// NaN equals NaN; meta by content.
bool operator==(const PvUpdate& a, const PvUpdate& b);

struct UpdateLimits {
  std::uint32_t updates_max = 65'536;         // per batch: bounds the decoder's memory
  std::uint32_t batch_bytes_max = 16u << 20;  // 16 MiB, the bus's own frame limit
};

/// Packs a batch by columns (a msgpack array of typed columns; docs/bus-protocol.md, "PV batch").
/// The same bytes go over the bus and into the journal, so nobody encodes twice.
Bytes encode_updates(const std::vector<PvUpdate>& updates);

/// The other way. Checks everything; allocates no more than the limits allow.
/// Errors: kCorruption, naming the column.
Result<std::vector<PvUpdate>> decode_updates(BytesView bytes, const UpdateLimits& limits = {});

}  // namespace tidemark::model
