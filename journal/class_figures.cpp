#include "journal/class_figures.h"

#include "journal/decimated_runs.h"
#include "journal/expiry.h"
#include "journal/segment_amounts.h"

namespace tidemark::journal {

Result<DecimatedFigures> decimated_figures(const ProjectionTable& table) {
  const auto runs = load_decimated_runs(table);
  if (!runs) return runs.error();
  DecimatedFigures figures;
  for (const auto& run : runs.value()) {
    figures.samples += run.samples;
    figures.bytes += run.bytes;
  }
  return figures;
}

ClassFigures figures_of(const ExpiredRuns& runs, RecordClass of) {
  ClassFigures figures;
  for (const auto& run : runs.all(of)) {
    figures.expired_lines += run.lines;
    figures.expired_bytes += run.bytes;
  }
  const auto* first = runs.holding(of, Line{1});
  if (first != nullptr) figures.floor = first->last;
  return figures;
}

Result<Figures> figures_of(const ProjectionTable& table, const ExpiredRuns& runs) {
  Figures figures;
  for (std::uint8_t of = 0; of < kRecordClasses; ++of) {
    figures[of] = figures_of(runs, static_cast<RecordClass>(of));
  }
  Result<Unit> result = Unit{};
  const auto scanned = table.scan("u", "v", [&](BytesView, BytesView value) {
    const auto header = decode_header(value);
    const auto amounts = header ? amounts_of(table, header.value()) : header.error();
    if (!amounts) {
      result = amounts.error();
      return false;
    }
    for (std::uint8_t number = 0; number < kRecordClasses; ++number) {
      const auto of = static_cast<RecordClass>(number);
      const bool there = runs.holding(of, lines_of(of, header.value()).first) == nullptr;
      if (there && !header.value().in_log) figures[number].bytes += amounts.value()[number];
    }
    return true;
  });
  if (!scanned) return scanned.error();
  if (!result) return result.error();
  return figures;
}

}  // namespace tidemark::journal
