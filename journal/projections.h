// journal/projections.h
//
// What is derived from the log, kept up with it: chunks of each channel's updates, keyframes of
// the whole machine, what IOCs said of their channels, and marks. Everything here can be deleted
// and is made again.
//
//   log ── advance() ──► head (RAM) ── a segment is full ──► chunks, and how far they are
//                    ├─► state (RAM) ─────────────────────┼► keyframe
//                    └─► marks (RAM) ─────────────────────┴► marks, and how far all this is
//
// Chunks of segments that the log has given up are no longer derived: those are never written
// again, nor cleared. Behind lines whose updates expired the state is not made, but read
// (base_state.h).
//
// Deterministic: the same log gives the same table, wherever it was interrupted.
//
// Threads: advance() from one; everything that is const from any, meanwhile.

#pragma once

#include <memory>
#include <shared_mutex>

#include "journal/head.h"
#include "journal/machine_state.h"
#include "journal/mark_projection.h"
#include "journal/projection_keys.h"
#include "journal/projection_table.h"
#include "journal/store.h"

namespace tidemark::journal {

struct ProjectionLimits {
  Segments segments{};
  /// A keyframe comes at the end of a segment when so many lines came since the last one: reading
  /// costs lines, and writing channels.
  std::uint32_t keyframe_lines_per_channel = 8;
  std::size_t head_bytes_max = 160u << 20;  // then what there is of a segment is sealed early
  std::size_t marks_bytes_max = Marks::kBytesMax;
};

struct ProjectionCounters {
  std::uint64_t chunks = 0;
  std::uint64_t keyframes = 0;
  std::uint64_t bytes_written = 0;
};

class Projections {
 public:
  Projections(std::shared_ptr<const Store> store, std::shared_ptr<ProjectionTable> table,
              ProjectionLimits limits = {});

  /// Reads how far the table is. One that is damaged, or of another log, is cleared.
  Result<Unit> load();

  /// Takes in durable lines, some `lines_max` at most. Returns whether there are more.
  /// Errors: as Store::scan and ProjectionTable::write. May be called again.
  Result<bool> advance(std::uint64_t lines_max);

  /// All lines up to this are in the head, the chunks and the state.
  Line projected() const;
  /// All lines up to this are in chunks that are written, and none after it.
  Line sealed() const;
  std::size_t head_bytes() const;
  ProjectionCounters counters() const;

  /// The head's part of a channel's past, with the marks as they were when it was copied.
  struct HeadPart {
    Line sealed{0};
    Line projected{0};
    std::vector<Sample> samples;
  };
  HeadPart head_of(model::ChannelId channel, Line from, Line to) const;
  /// What its IOC had said of the channel by then; null when nothing. For lines up to projected().
  std::shared_ptr<const model::PvMeta> meta_at(model::ChannelId channel, Line line) const;
  /// A copy of the state after projected(), and that line.
  std::pair<Line, MachineState> state() const;
  const MarkProjection& marks() const { return marks_; }
  const Segments& segments() const { return limits_.segments; }
  const ProjectionTable& table() const { return *table_; }
  const Store& store() const { return *store_; }

 private:
  struct MetaVersion {
    Line line;
    std::shared_ptr<const model::PvMeta> meta;
  };

  Result<Unit> load_table(BytesView watermark);
  Result<Line> load_chunks() const;
  Result<Unit> load_metas();
  Result<Unit> load_state();
  Result<Unit> take(const Block& block);
  void note_meta(Line line, const model::PvUpdate& update);
  void apply(Line line, const model::PvUpdate& update);
  bool ends_segment(Line line) const;
  Result<Unit> reach(Line line);
  Result<Unit> adopt_base(Line to);
  Result<Unit> seal(Line through);
  Result<Unit> write(std::vector<KeyValue>& puts);

  const std::shared_ptr<const Store> store_;
  const std::shared_ptr<ProjectionTable> table_;
  const ProjectionLimits limits_;

  // Only in advance().
  std::vector<KeyValue> new_rows_;  // of metas and marks, since the last seal
  Line keyframe_{0};
  Line told_{0};  // keyframes, metas and marks of lines up to this are written

  MarkProjection marks_;

  mutable std::shared_mutex mutex_;
  // Written under mutex_ by advance(), which may read without it.
  Line projected_{0};
  Line sealed_{0};
  Head head_;
  MachineState state_;
  std::vector<std::vector<MetaVersion>> metas_;  // by channel
  ProjectionCounters counters_;
};

/// Up to which line keyframes, metas and marks are written; Line{0} for a table without any.
/// Errors: kCorruption  it cannot be used.
Result<Line> read_watermark(const ProjectionTable& table);

/// The keyframe at or before `line`: its line, 0 when there is none. Only the shards that hold a
/// channel of `only` (sorted; null: all) are read into `state`.
Result<Line> read_keyframe(const ProjectionTable& table, Line line,
                           const std::vector<model::ChannelId>* only, MachineState& state);

}  // namespace tidemark::journal
