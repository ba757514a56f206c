#include "tools/import_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "tools/typed_json.h"

namespace tidemark::tools {
namespace {

bool is_blank(const std::string& line) {
  return line.find_first_not_of(" \t\r") == std::string::npos;
}

}  // namespace

Result<FileCount> read_import_file(const std::string& file, LineReader& ipi,
                                   const std::function<void(ImportedLine)>& take,
                                   const std::function<void(const std::string&)>& complain) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    return Error{errno == ENOENT ? Code::kNotFound : Code::kUnavailable,
                 "cannot read " + file + ": " + std::strerror(errno)};
  }
  FileCount count;
  std::unique_ptr<LineReader> own;
  std::string line;
  for (std::uint64_t number = 1; std::getline(stream, line); ++number) {
    if (is_blank(line)) continue;
    const auto json = parse_json_line(line);
    if (count.lines == 0 && json && is_export_head(json.value())) {
      auto reader = make_own_reader(json.value());
      if (!reader) {
        return Error{reader.error().code, file + ":1: " + reader.error().message};
      }
      own = std::move(reader).value();
      continue;
    }
    ++count.lines;
    auto read = json ? (own ? *own : ipi).read(json.value())
                     : Result<std::optional<ImportedLine>>(json.error());
    if (!read) {
      ++count.bad;
      complain(file + ":" + std::to_string(number) + ": " + read.error().message);
    } else if (!read.value()) {
      ++count.left_out;
    } else {
      take(std::move(*read.value()));
    }
  }
  if (stream.bad()) return Error{Code::kUnavailable, "cannot read " + file};
  return count;
}

}  // namespace tidemark::tools
