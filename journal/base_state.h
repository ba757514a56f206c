// journal/base_state.h
//
// The machine at the end of lines whose PV updates expired: what nobody can find in lines any more,
// and all later states begin with. One for each run of such lines; it is written with the drop, and
// never made again.
//
//   … expired │ lines …        state at a line = base + the updates behind it
//             └ base

#pragma once

#include <vector>

#include "journal/expired_runs.h"
#include "journal/machine_state.h"
#include "journal/projection_table.h"

namespace tidemark::journal {

struct BaseState {
  Line line{0};      // 0: there is none
  Line keyframe{0};  // the last keyframe that there was by then: the next ones follow from it
  MachineState state;
};

/// Metas are in it.
std::vector<KeyValue> encode_base(const BaseState& base);
/// Adds one row. Errors: kCorruption.
Result<Unit> decode_base(BytesView value, BaseState& base);
/// The keys of the base at that line.
Result<std::vector<Bytes>> base_keys(const ProjectionTable& table, Line line);

/// The newest base at or before `line`. Of channels outside of `only` (sorted; null: all) there may
/// be none.
/// Errors: kCorruption, kUnavailable: the disk.
Result<BaseState> read_base(const ProjectionTable& table, Line line,
                            const std::vector<model::ChannelId>* only = nullptr);
/// That behind a run. Errors: kCorruption, also when there is none; kUnavailable: the disk.
Result<BaseState> read_base_of(const ProjectionTable& table, const ExpiredRun& run,
                               const std::vector<model::ChannelId>* only = nullptr);

}  // namespace tidemark::journal
