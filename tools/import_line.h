// tools/import_line.h
//
// A line of a file as a record of the journal. One reader per format:
//
//   ipi-ecs segments, NDJSON v1    import_ipi.cpp
//   our own export                 import_own.cpp
//
// Pure: what a reader knows it has from the lines before.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/uuid.h"
#include "model/record.h"
#include "tools/context.h"

namespace tidemark::tools {

/// Who it is from, and a number that grows there: together they name a line for ever, so that the
/// journal stores it once, however often it is imported.
struct ImportedLine {
  Uuid origin;
  std::string node;            // the origin, for people
  std::uint64_t sequence = 0;  // from 1
  std::uint64_t order = 0;     // among those of one number, which then are moved apart
  model::Record record;
};

inline Error wrong(const std::string& what) { return {Code::kInvalidArgument, what}; }

class LineReader {
 public:
  virtual ~LineReader() = default;
  /// None: there is nothing in it for another journal.
  /// Errors: kInvalidArgument  what is wrong with it.
  virtual Result<std::optional<ImportedLine>> read(const Json& line) = 0;
};

/// Whether this is the first line of an export of ours.
bool is_export_head(const Json& line);
/// Errors: kInvalidArgument  of a version, or a shape, that nobody knows.
Result<std::unique_ptr<LineReader>> make_own_reader(const Json& head);

std::unique_ptr<LineReader> make_ipi_reader();

}  // namespace tidemark::tools
