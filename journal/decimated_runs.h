// journal/decimated_runs.h
//
// Of which lines that expired there are decimated rows, and of what bins. It is written together
// with the rows and the drop, so what it says is there, and only that.
//
//   … expired │ expired, rows of 10 min │ expired, rows of 1 h │ lines …

#pragma once

#include <vector>

#include "journal/projection_table.h"
#include "journal/store.h"

namespace tidemark::journal {

struct DecimatedRun {
  Duration width{};  // of the bins
  Line first{};
  Line last{};
  UtcTime since{};  // when the first and the last of them were recorded, about
  UtcTime until{};
  std::uint64_t samples = 0;  // that are in the rows
  std::uint64_t bytes = 0;    // that the rows take, about
  bool operator==(const DecimatedRun&) const = default;
};

KeyValue encode_decimated_run(const DecimatedRun& run);
/// Errors: kCorruption.
Result<DecimatedRun> decode_decimated_run(BytesView key, BytesView value);

/// By width and line. Errors: kCorruption, kUnavailable: the disk.
Result<std::vector<DecimatedRun>> load_decimated_runs(const ProjectionTable& table);
/// Those that have a line from `first` to `last`, whole.
std::vector<DecimatedRun> touching(const std::vector<DecimatedRun>& runs, Line first, Line last);

/// `run` with those of `runs` that it touches, of the same width: these, in `joined`, are no more.
DecimatedRun join_runs(const std::vector<DecimatedRun>& runs, DecimatedRun run,
                       std::vector<DecimatedRun>& joined);

}  // namespace tidemark::journal
