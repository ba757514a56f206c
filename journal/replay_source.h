// journal/replay_source.h
//
// The lines of a range, read ahead a little, in pieces: PV batches as they were stored, cut to what
// is wanted, sections of other records, and sections that say what has expired. Memory is bounded
// by what is read ahead and one block.
//
// Threads: one. It reads the disk.

#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "journal/store.h"

namespace tidemark::journal {

struct ReplayFilter {
  /// Sorted; none: all.
  std::optional<std::vector<model::ChannelId>> channels;
  bool records = true;
};

/// Items of one section, in a row.
struct ReplayPiece {
  Line block{};  // that holds it begins with this line
  UtcTime recorded_at{};
  Section section;          // `sequence`, `count` and `payload` are those of what is here
  std::vector<Line> lines;  // of each item; empty: from `first` on
  Line first{};
  Line last{};  // of the last item
};

class ReplaySource {
 public:
  /// What is read ahead at least, where there is as much; a whole block may come on top.
  static constexpr std::size_t kAheadBytes = 4u << 20;

  /// Lines after `after`, up to `to`.
  ReplaySource(const Store& store, Line after, Line to, ReplayFilter filter);

  /// What comes next, reading on when nothing waits. Null: nothing is left when at_end(), else ask
  /// again: there was nothing that is wanted in the stretch that was read.
  /// Errors: as Store::scan; the same again next time.
  Result<const ReplayPiece*> next();
  bool at_end() const { return pieces_.empty() && after_ >= to_; }
  /// Takes its first `count` items off; all of them: the piece.
  Result<ReplayPiece> take(std::uint32_t count);
  /// Pieces that were read and not taken.
  std::size_t waiting() const { return pieces_.size(); }
  /// What next() reads comes after this line.
  void seek(Line after);

  const ReplayFilter& filter() const { return filter_; }

 private:
  Result<Unit> read_on();
  Result<Unit> add(const Block& block, Section& section, std::uint64_t first);

  const Store& store_;
  const Line to_;
  const ReplayFilter filter_;
  Line after_;  // all up to this was read
  std::deque<ReplayPiece> pieces_;
};

}  // namespace tidemark::journal
