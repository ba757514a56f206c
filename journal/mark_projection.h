// journal/mark_projection.h
//
// Marks, from the log to the index and to the table, and back. A part of Projections, which says
// when; a question that comes before the projection is through reads the rest of the log itself.
//
//   log ── take() ──► Marks (RAM)          the same record again changes nothing,
//     │      └─────► rows for the table    in either of them
//     └─ current() ─► Marks
//
// Threads: load() and take() from one; everything that is const from any, meanwhile.

#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "journal/marks.h"
#include "journal/projection_table.h"
#include "journal/store.h"
#include "model/kv/value.h"

namespace tidemark::journal {

inline constexpr std::uint32_t kMarkKinds =
    kind_bit(model::RecordKind::kMarkBegin) | kind_bit(model::RecordKind::kMarkEnd);

class MarkProjection {
 public:
  explicit MarkProjection(std::shared_ptr<const Store> store,
                          std::size_t bytes_max = Marks::kBytesMax)
      : store_(std::move(store)), marks_(bytes_max) {}

  /// Reads the rows; all lines up to `sealed` are in them. False when they are of another log.
  Result<bool> load(const ProjectionTable& table, Line sealed);
  void clear();
  /// Takes in a block, and adds what it tells of lines after `sealed` to `rows`.
  Result<Unit> take(const Block& block, Line sealed, std::vector<KeyValue>& rows);
  /// All lines up to this were taken in.
  void reached(Line line) const;

  /// The marks of all lines that are durable now.
  /// Errors: as Store::scan.
  Result<const Marks*> current() const;

  /// Begins and ends that there was no room for, of the lines taken in up to now.
  std::uint64_t left_out() const { return marks_.left_out(); }

  /// What was said with it, from the log.
  Result<model::kv::Value> data_of(const MarkPoint& point) const;

  /// The lines inside of the newest mark of that name, or the one with that id: those after where
  /// it begins, its own records too. An open mark has no last line but the journal's.
  /// Errors: kNotFound; kInvalidArgument it has no begin.
  struct Lines {
    Line first{1};
    Line last{~std::uint64_t{0}};
  };
  Result<Lines> lines_of(const std::string& mark) const;

  /// "shot 12": where it begins; "shot 12.end": where it ends. A mark whose name is the whole text
  /// comes first.
  /// Errors: kNotFound; kInvalidArgument it is open, or has no begin.
  Result<Line> line_of(const std::string& text) const;

 private:
  const std::shared_ptr<const Store> store_;
  Line told_{0};  // only in take(): rows were made of lines up to this
  mutable Marks marks_;
  /// Marks of lines up to this are in marks_.
  mutable std::atomic<std::uint64_t> through_{0};
};

}  // namespace tidemark::journal
