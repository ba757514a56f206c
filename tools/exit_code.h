// tools/exit_code.h
//
// What `tidemark` answers to the shell. The same five numbers for every command, so a script can
// tell "no" from "not now" from "nobody knows".

#pragma once

#include <string_view>

#include "base/result.h"

namespace tidemark::tools {

enum class Exit : int {
  kFine = 0,
  kFailed = 1,       // it failed, or found a difference that matters
  kUsage = 2,        // bad usage, or bad input: nothing was done
  kUnreachable = 3,  // the system, or the node that is needed, cannot be reached
  kUnknown = 4,      // no answer in time: it may have happened, or happen yet
};

Exit exit_of(const Error& error);

/// For --help and the manual.
inline constexpr std::string_view kExitCodesHelp =
    "EXIT CODES\n"
    "  0  fine\n"
    "  1  the operation failed, or found a difference that matters\n"
    "  2  bad usage or bad input; nothing was done\n"
    "  3  the system, or the node that is needed, cannot be reached\n"
    "  4  no answer in time, or an outcome that nobody knows\n";

}  // namespace tidemark::tools
