// tools/export_format.h
//
// The first line of an export says what it is: {"format": "tidemark-journal", "v": 1, "journal":
// <UUID of the journal node>, "exported_at": <time>}. Each line after it is what `log query --json`
// shows of a line. Fields are only ever added.

#pragma once

#include <string_view>

namespace tidemark::tools {

inline constexpr std::string_view kExportFormat = "tidemark-journal";
inline constexpr int kExportVersion = 1;

}  // namespace tidemark::tools
