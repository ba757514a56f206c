// catalog/csv_import.h
//
// PV definitions from a spreadsheet's CSV file.
//
// The header must hold Setpoint or Readback; Config, Device, Description, AbsTolerance,
// RelTolerance and ReadOnly are known too (in any case, also as "Abs Tolerance" or
// abs_tolerance); every other column is a tag group whose cells are comma-separated tag names.
//
// RFC 4180 quoting; BOM, CRLF and CR are accepted. Space around a cell does not count; "", "nan"
// and "none" mean empty, but a tolerance that is nan is a problem. Blank lines are no rows; cells
// missing at the end of a row are empty. A column without a name must be empty throughout.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tidemark::catalog {

inline constexpr std::size_t kCsvBytesMax = 48u << 20;  // fits one request
inline constexpr std::size_t kCsvRowsMax = 500'000;
inline constexpr std::size_t kCsvColumnsMax = 256;

struct CsvRow {
  std::uint32_t line = 0;  // of the file where the row begins, from 1
  std::string setpoint;
  std::string readback;
  std::string config;
  std::string device;
  std::string description;
  double abs_tolerance = 0;
  double rel_tolerance = 0;
  bool read_only = false;                                 // also when there is no setpoint
  std::vector<std::pair<std::string, std::string>> tags;  // group, tag
};

struct CsvProblem {
  std::uint32_t line = 0;
  std::string message;  // names the column
};

/// Which of the optional columns the file has: one that it lacks says nothing.
struct CsvColumns {
  bool device = false;
  bool description = false;
  bool abs_tolerance = false;
  bool rel_tolerance = false;
  bool read_only = false;
};

struct CsvFile {
  CsvColumns columns;
  std::vector<CsvRow> rows;             // the good ones
  std::vector<CsvProblem> problems;     // one per bad row
  std::vector<std::string> tag_groups;  // the columns that are tag groups
};

/// Never throws. Errors: kInvalidArgument for what makes the whole file useless: no header, no
/// address column, a column twice, an unclosed quote (says the line where it opens), too large.
Result<CsvFile> parse_csv(std::string_view text);

}  // namespace tidemark::catalog
