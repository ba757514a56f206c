// tools/interrupt.h
//
// Ctrl-C as a flag, for commands that have something to say before they end. Other commands keep
// the default: the process ends at once.

#pragma once

namespace tidemark::tools {

/// While one lives, SIGINT and SIGTERM only set the flag; a second one ends the process. One at a
/// time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// True from the first signal until the Interrupt goes. Threads: any.
  static bool came();
};

}  // namespace tidemark::tools
