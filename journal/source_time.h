// journal/source_time.h
//
// The past by the clocks of its sources, the IOCs, instead of the journal's. Such a clock is
// trusted so far: what was recorded more than `lateness` before a time was there by then, what was
// recorded more than that after it was not; of what lies between, the update's own time decides.
//
//   recorded ─────────────┤ time - lateness ·········· time ·········· time + lateness ├──────────
//              all of it                    what was taken by then                      nothing
//
// So an answer costs no more than `lateness` says, whatever the clocks do. A source sends the
// updates of a channel in order, so their lines say which of two came later.

#pragma once

#include "journal/archive.h"

namespace tidemark::journal {

struct SourceTime {
  UtcTime at{};
  Duration lateness{};
};

/// Up to `certain` everything counts, after `last` nothing.
struct SourceLines {
  Line certain{};
  Line last{};
};
Result<SourceLines> lines_around(const Store& store, const SourceTime& when);

/// The machine then, by those lines. `only` as in Archive::state_at. Errors: as that.
Result<MachineState> state_by_source(const Archive& archive, const SourceTime& when,
                                     const SourceLines& lines,
                                     const std::vector<model::ChannelId>* only = nullptr);

/// The channel's update that was in force then. Errors: as Archive::samples.
Result<std::optional<Sample>> in_force_by_source(const Archive& archive, model::ChannelId channel,
                                                 const SourceTime& when);

/// What was taken after `from` and up to `to`.
struct SourceSpan {
  UtcTime from{};
  UtcTime to{};
  Duration lateness{};
};
/// Where a page ended.
struct SourceCursor {
  UtcTime taken_at{};
  Line line{};
};
struct SourcePage {
  std::vector<Sample> samples;  // by taken_at, then line
  bool more = false;
};
struct SourcePageLimits {
  std::size_t samples = 200'000;
  std::size_t bytes = 16u << 20;  // of strings and arrays; one may be larger
};

/// The channel's next samples in the order of their times. Cost: one pass through the chunks of the
/// span, of which those that hold nothing of the page are not unpacked.
/// Errors: as Archive::samples.
Result<SourcePage> samples_by_source(const Archive& archive, model::ChannelId channel,
                                     const SourceSpan& span,
                                     const std::optional<SourceCursor>& after,
                                     const SourcePageLimits& limits);

}  // namespace tidemark::journal
