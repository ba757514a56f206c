// journal/archive.h
//
// The past of the machine: what every channel was at a line, and all that one channel did. Exact,
// whatever the projections have got to: what they do not have is read from the log.
//
// Threads: any.

#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "journal/decimated_row.h"
#include "journal/decimated_runs.h"
#include "journal/projections.h"

namespace tidemark::journal {

class Archive {
 public:
  explicit Archive(std::shared_ptr<const Projections> projections)
      : projections_(std::move(projections)) {}

  /// The machine after `line`, which is at most the last durable one. `only` (sorted; null: all):
  /// other channels may be missing.
  /// Cost: a keyframe, and the lines since; it does not grow with the journal.
  /// Errors: kInvalidArgument a line that is not there yet; kNotFound updates of that line and of
  ///         some before it have expired, and so what it was; kCorruption, kUnavailable the disk.
  Result<MachineState> state_at(Line line,
                                const std::vector<model::ChannelId>* only = nullptr) const;

  /// The same; of a line whose updates have expired, the machine before these: all that somebody
  /// has seen of it who has read every line that there is.
  Result<MachineState> seen_at(Line line,
                               const std::vector<model::ChannelId>* only = nullptr) const;

  /// Calls `visit` with the channel's updates of lines `from` to `to`, oldest first, in pieces,
  /// until it returns false. What has expired is left out: Store::expired() has it, when it is
  /// asked afterwards.
  Result<Unit> samples(model::ChannelId channel, Line from, Line to,
                       const std::function<bool(const std::vector<Sample>&)>& visit) const;

  /// The same by summaries: chunks that lie in the lines as a whole, and for which `skim` says
  /// true, are not unpacked.
  Result<Unit> samples(model::ChannelId channel, Line from, Line to,
                       const std::function<bool(const ChunkHeader&)>& skim,
                       const std::function<bool(const std::vector<Sample>&)>& visit) const;

  /// Of which lines that expired there are decimated rows, of those from `from` to `to`.
  Result<std::vector<DecimatedRun>> decimated_runs(Line from, Line to) const;
  /// Calls `visit` with the channel's rows that reach into these lines, whole; not by line. `runs`:
  /// of the same lines. What expires meanwhile may be in the rows, and changes Store::expired().
  Result<Unit> decimated(model::ChannelId channel, Line from, Line to,
                         const std::vector<DecimatedRun>& runs,
                         const std::function<void(const DecimatedRow&)>& visit) const;

  /// Newest first.
  struct Newest {
    std::vector<Sample> samples;
    bool cut = false;  // there are more of those asked for, before the last of these
  };
  /// The newest `count` updates of the channel up to `line`, as far as their strings and arrays
  /// take no more than `bytes_max`, and one at least; none from before lines that expired, but for
  /// the one that was in force when they ended.
  Result<Newest> newest(model::ChannelId channel, Line line, std::size_t count,
                        std::size_t bytes_max = kNewestBytesMax) const;
  static constexpr std::size_t kNewestBytesMax = 8u << 20;  // an answer: the bus carries 64 MiB

  /// Calls `visit` with all updates of lines `from` to `to`, in order, until it returns false.
  /// Errors: as Store::scan.
  Result<Unit> updates(Line from, Line to,
                       const std::function<bool(Line, const model::PvUpdate&)>& visit) const;

  const Store& store() const { return projections_->store(); }

 private:
  Result<MachineState> state_from(Line line, const std::vector<model::ChannelId>* only) const;
  Result<Unit> apply_chunks(Line after, Line to, const std::vector<model::ChannelId>* only,
                            MachineState& state) const;

  const std::shared_ptr<const Projections> projections_;
};

}  // namespace tidemark::journal
