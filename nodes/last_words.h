// nodes/last_words.h
//
// What a process says when it cannot go on: which signal, or which exception nobody caught. It
// cannot talk to the bus any more, so the words go to a file, with system calls only, and the next
// start of the node hands them to the journal.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace tidemark::nodes {

struct LastWords {
  int signal = 0;
  std::string text;  // "ended by SIGABRT, after an exception that nobody caught: bad_alloc"
  UtcTime at{};
};

/// What the process before this one left there; the file is gone then.
std::optional<LastWords> take_last_words(const std::string& file);

/// From now on SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT, and exceptions that nobody catches,
/// leave words in the file and on standard error, and then end the process as they would have.
/// Counts once; later calls change nothing.
void keep_last_words(const std::string& file);

/// The last lines of a log file, from byte `from` on: at most `lines_max`, of the last 8 KiB.
std::vector<std::string> last_lines(const std::string& file, std::size_t from,
                                    std::size_t lines_max);

/// "SIGSEGV"; "signal 99".
std::string signal_name(int number);

}  // namespace tidemark::nodes
