// tools/import_file.h
//
// A file to import, line by line. What kind it is its first line says; what is wrong with a line
// is told with the file and the line's number, and the lines after it are read all the same.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/import_line.h"

namespace tidemark::tools {

struct FileCount {
  std::uint64_t lines = 0;     // that hold anything
  std::uint64_t left_out = 0;  // there is nothing in them for another journal
  std::uint64_t bad = 0;
};

/// `ipi` reads those lines of all files, since an event may end in another file than it began in.
/// `take` gets what is to be imported, `complain` what is wrong: "file:12: seq: no whole number".
/// Errors: kNotFound, kUnavailable  the file cannot be read.
///         kInvalidArgument         its first line is of no format that is known.
Result<FileCount> read_import_file(const std::string& file, LineReader& ipi,
                                   const std::function<void(ImportedLine)>& take,
                                   const std::function<void(const std::string&)>& complain);

}  // namespace tidemark::tools
