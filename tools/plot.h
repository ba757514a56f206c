// tools/plot.h
//
// A plot in a terminal, of braille characters: each has two columns of four dots. A column of dots
// is a band from the least to the greatest value in its time, so no extremum is lost however many
// samples there are.
//
//   bins of the journal ──► columns ──► plot() ──► lines of text
//
// Pure: no terminal, no clock, no site.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/pv.h"
#include "tools/table.h"

namespace tidemark::tools {

struct PlotColumn {
  std::optional<model::Range> band;  // none: no number is known
  model::Severity worst = model::Severity::kNone;
  bool disconnected = false;
};

struct Plot {
  std::vector<PlotColumn> columns;  // of dots, each of the same length of time
  UtcTime begin{};                  // of the first
  UtcTime end{};                    // of the last
  std::int16_t precision = 0;
  std::string units;
  std::vector<std::string> labels;  // of an enum: values are indices
};

/// Rows of characters that the values take; the axis, its labels and the alarms are below.
inline constexpr std::size_t kPlotRows = 15;

/// How many columns of dots fit beside the labels in a terminal of `width` characters.
std::size_t plot_columns(std::size_t width);

/// Lines without their ends: the values, marks of alarms when there are any (m minor, M major,
/// ! invalid, x disconnected), the times. Infinite values lie on the edge.
/// Shape  at most plot_columns(width) columns.
std::vector<std::string> plot(const Plot& what, std::size_t width, bool colored);

}  // namespace tidemark::tools
