#include "journal/check.h"

#include <algorithm>

#include "journal/expired_runs.h"
#include "journal/frozen_projection_table.h"

namespace tidemark::journal {
namespace {

constexpr std::uint64_t kProgressLines = 65'536;

/// The line that a row is about.
Line line_of_row(BytesView key) {
  constexpr std::size_t kLineBytes = sizeof(std::uint64_t);
  if (key.size() <= kLineBytes) return Line{0};
  const auto at = key.front() == 'k' ? 1 : key.size() - kLineBytes;
  return Line{read_be<std::uint64_t>(key, at)};
}

Error stopped() { return Error{Code::kCancelled, "stopped before it was done"}; }

/// Rows that are made anew, compared with those of another table as they come.
class Comparison final : public ProjectionTable {
 public:
  /// Chunks up to `chunks`, all else up to `rest`. Of lines that `expired` nothing can be made.
  Comparison(std::shared_ptr<const ProjectionTable> table, Line chunks, Line rest,
             std::shared_ptr<const ExpiredRuns> expired)
      : table_(std::move(table)), chunks_(chunks), rest_(rest), expired_(std::move(expired)) {}

  Result<Unit> write(const std::vector<KeyValue>& puts) override;
  void flush() override {}
  Result<Unit> clear() override { return Unit{}; }
  // But for what expired left behind, which is not derived.
  Result<Unit> scan(
      BytesView from, BytesView to,
      const std::function<bool(BytesView key, BytesView value)>& visit) const override {
    return from.starts_with('y') ? table_->scan(from, to, visit) : Result<Unit>(Unit{});
  }
  Result<std::optional<KeyValue>> last(BytesView from, BytesView to) const override {
    if (from.starts_with('y')) return table_->last(from, to);
    return std::optional<KeyValue>{};
  }

  /// What is in the table and was not made.
  Result<Unit> count_surplus();
  const ProjectionsReport& report() const { return report_; }

 private:
  const std::shared_ptr<const ProjectionTable> table_;
  /// Whether it was written, had the table come about as this one does.
  bool counts(BytesView key) const;

  const Line chunks_;
  const Line rest_;
  const std::shared_ptr<const ExpiredRuns> expired_;
  ProjectionsReport report_;
  std::uint64_t derived_ = 0;  // of the rows, those that are no chunks
  std::uint64_t missing_ = 0;  // of these
};

bool Comparison::counts(BytesView key) const {
  // How far it is. A block may have told of more than was sealed.
  if (key.empty() || BytesView("hkmp").find(key.front()) == BytesView::npos) return false;
  if (key.size() == chunks_mark_key(0).size() && key.front() == 'h') return false;
  const auto line = line_of_row(key);
  if (key.front() != 'p' && expired_->holding(RecordClass::kPvUpdates, line)) return false;
  return line <= (key.front() == 'h' ? chunks_ : rest_);
}

Result<Unit> Comparison::write(const std::vector<KeyValue>& puts) {
  for (const auto& [key, value] : puts) {
    if (!counts(key)) continue;
    ++report_.rows;
    if (key.front() != 'h') ++derived_;
    bool found = false;
    bool same = false;
    const auto scanned = table_->scan(key, key + '\0', [&](BytesView, BytesView stored) {
      found = true;
      same = stored == value;
      return false;
    });
    // One that cannot be read is wrong, and the others can be.
    if (!scanned && scanned.error().code != Code::kCorruption) return scanned;
    if (!scanned || (found && !same)) {
      ++report_.wrong;
    } else if (!found) {
      ++report_.missing;
      if (key.front() != 'h') ++missing_;
    }
  }
  return Unit{};
}

Result<Unit> Comparison::count_surplus() {
  // Of chunks there may be parts of an earlier run that was cut short.
  std::uint64_t stored = 0;
  const auto scanned = table_->scan("k", kWatermarkKey, [&](BytesView key, BytesView) {
    if (counts(key)) ++stored;
    return true;
  });
  if (!scanned) {
    if (scanned.error().code != Code::kCorruption) return scanned;
    report_.wrong = std::max<std::uint64_t>(report_.wrong, 1);
    return Unit{};
  }
  const auto expected = derived_ - missing_;
  if (stored > expected) report_.surplus = stored - expected;
  report_.through = rest_;
  return Unit{};
}

/// Until all lines up to `through` are sealed.
Result<Unit> advance_to(Projections& projections, Line through, const CheckProgress& progress) {
  while (projections.projected() < through) {
    const auto more =
        projections.advance(std::min(kProgressLines, raw(through) - raw(projections.projected())));
    if (!more) return more.error();
    if (!progress(raw(projections.projected()))) return stopped();
    if (!more.value()) break;
  }
  return Unit{};
}

}  // namespace

Result<LinesReport> check_lines(const Store& store, const CheckProgress& progress) {
  LinesReport report;
  const auto last = store.last();
  std::uint64_t told = 0;
  Line next{1};
  BlockFilter filter;
  filter.last = last;
  while (next <= last) {
    bool go_on = true;
    const auto scanned = store.scan(next, filter, [&](Block& block) {
      const auto end = raw(block.first) + block.count - 1;
      report.lines += end - std::max(raw(block.first), raw(next)) + 1;
      ++report.blocks;
      for (const auto& section : block.sections) {
        if (section.format == SectionFormat::kExpired) report.expired += section.count;
      }
      next = Line{end + 1};
      if (end - told >= kProgressLines) {
        told = end;
        go_on = progress(end);
      }
      return go_on;
    });
    if (!go_on) return stopped();
    if (scanned) break;
    if (scanned.error().code != Code::kCorruption) return scanned.error();
    // What cannot be told apart is damaged to the end.
    auto lines = lines_of(scanned.error()).value_or(LineRange{next, last});
    lines.last = std::max(lines.last, next);
    report.damage.push_back({lines, scanned.error().message});
    next = Line{raw(lines.last) + 1};
  }
  progress(raw(last));
  return report;
}

Result<ProjectionsReport> check_projections(std::shared_ptr<const Store> store,
                                            std::shared_ptr<const ProjectionTable> table,
                                            const CheckProgress& progress,
                                            ProjectionLimits limits) {
  ProjectionsReport report;
  const auto mark = read_watermark(*table);
  if (!mark) {
    report.unusable = mark.error().message;
    return report;
  }
  if (mark.value() > store->last()) {
    report.unusable = "they are of another log";
    return report;
  }
  Projections there(store, std::make_shared<FrozenProjectionTable>(table), limits);
  const auto loaded = there.load();
  if (!loaded) return loaded.error();
  const auto comparison =
      std::make_shared<Comparison>(table, there.sealed(), mark.value(), store->expired());
  Projections again(std::move(store), comparison, limits);
  const auto made = advance_to(again, std::max(there.sealed(), mark.value()), progress);
  if (!made) return made.error();
  const auto counted = comparison->count_surplus();
  if (!counted) return counted.error();
  return comparison->report();
}

Result<Unit> rebuild_projections(std::shared_ptr<const Store> store,
                                 std::shared_ptr<ProjectionTable> table,
                                 const CheckProgress& progress, ProjectionLimits limits) {
  const auto cleared = table->clear();
  if (!cleared) return cleared;
  const auto last = store->last();
  Projections again(std::move(store), std::move(table), limits);
  const auto loaded = again.load();  // It finds the chunks that are no longer derived.
  if (!loaded) return loaded;
  return advance_to(again, last, progress);
}

}  // namespace tidemark::journal
