// journal/section.h
//
// What an origin sends to the journal in one piece: some records in a row, packed as they go
// over the bus. A block of the journal is a list of sections, kept as they came, so PV updates
// are encoded once, by the monitor, and never again.

#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "base/uuid.h"
#include "model/pv_update.h"
#include "model/record.h"

namespace tidemark::journal {

/// Stored and sent: never renumber.
enum class SectionFormat : std::uint8_t {
  kUpdates = 1,  // model::encode_updates
  kRecords = 2,  // model::encode_records
  kExpired = 3,  // nothing but what class the records were of, u8: they are not here any more
};

struct Section {
  Uuid origin;                    // the node that says so
  std::uint32_t incarnation = 0;  // of that node
  std::uint64_t sequence = 0;     // of the first record; the origin's own count, from 1
  std::uint32_t count = 0;        // records in `payload`
  SectionFormat format = SectionFormat::kRecords;
  UtcTime sent_at{};  // the origin's clock
  Bytes payload;

  bool operator==(const Section&) const = default;
};

/// The bit of `kind` in a set of kinds. Kinds that do not fit share bit 0 (no kind is 0).
constexpr std::uint32_t kind_bit(model::RecordKind kind) {
  const auto number = static_cast<std::uint32_t>(kind);
  return number < 32 ? 1u << number : 1u;
}

/// The kinds that sections of updates can hold, and only they.
inline constexpr std::uint32_t kUpdateKinds = kind_bit(model::RecordKind::kPvUpdate) |
                                              kind_bit(model::RecordKind::kPvConnected) |
                                              kind_bit(model::RecordKind::kPvDisconnected);

model::RecordKind kind_of(const model::PvUpdate& update);
/// Warning for a connection lost, info for the rest.
model::Level level_of(const model::PvUpdate& update);

/// A section whose payload was decoded once and found right.
class InspectedSection {
 public:
  const Section& section() const { return section_; }
  std::uint32_t kinds() const { return kinds_; }  // bit n: holds a record of kind n
  model::Level level() const { return level_; }   // the highest in it
  const std::vector<model::PvDefined>& defined() const { return defined_; }

  /// Errors: kCorruption  payload and count do not match, the payload is not what `format` says,
  ///                      or it holds no record.
  friend Result<InspectedSection> inspect(Section section);

 private:
  explicit InspectedSection(Section section) : section_(std::move(section)) {}
  Section section_;
  std::uint32_t kinds_ = 0;
  model::Level level_ = model::Level::kDebug;
  std::vector<model::PvDefined> defined_;
};

Result<InspectedSection> inspect(Section section);

}  // namespace tidemark::journal
