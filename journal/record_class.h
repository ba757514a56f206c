// journal/record_class.h
//
// What is kept alike: each class of records has pieces of its own in a sealed segment, so that it
// can expire by itself.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "journal/section.h"

namespace tidemark::journal {

/// Stored: never renumber.
enum class RecordClass : std::uint8_t {
  kKept = 0,  // jobs, puts, marks, snapshots, the catalog, nodes, gaps: never expires
  kLogMessages = 1,
  kKvEvents = 2,   // keys, events and status items of subsystems
  kPvUpdates = 3,  // values, connections made and lost: in chunks
};
/// Those whose records stand in frames of their own.
inline constexpr std::uint8_t kFrameClasses = 3;
inline constexpr std::uint8_t kRecordClasses = 4;

/// A kind that this version does not know is kept.
RecordClass class_of(model::RecordKind kind);

/// The kinds that belong to it; the kinds that share bit 0 are kept.
std::uint32_t kinds_of(RecordClass of);

/// Of a section whose records expired; none: it says no class.
std::optional<RecordClass> expired_class(const Section& section);
/// A section in the place of `count` records of `section`, from its `skip`-th on.
Section expired_section(const Section& section, RecordClass of, std::uint32_t skip,
                        std::uint32_t count);

/// "kept", "log_messages", "kv_events", "pv_updates".
std::string_view to_string(RecordClass of);

}  // namespace tidemark::journal
