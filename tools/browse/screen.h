// tools/browse/screen.h
//
// The terminal, through ncurses, whose macros stay in screen.cpp. It has the whole screen while one
// of these lives; when it goes the terminal is what it was.

#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "base/result.h"
#include "tools/browse/key.h"
#include "tools/browse/render.h"
#include "tools/browse/state.h"

namespace tidemark::tools::browse {

/// One at a time in a process. Threads: one.
class Screen {
 public:
  /// Errors: kInvalidArgument  this terminal cannot do it; the message says why.
  static Result<std::unique_ptr<Screen>> open(bool colored);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  Size size() const;
  void draw(const Frame& frame);
  /// Sends everything again with the next draw().
  void repaint();
  /// As Ctrl-Z in a shell: gives the terminal back and stops; returns when somebody goes on.
  void suspend();
  /// What was pressed, or the new size. None: nothing so far. Never blocks.
  std::optional<std::variant<Key, Size>> next();

 private:
  explicit Screen(bool colored);
  const bool colored_;
};

}  // namespace tidemark::tools::browse
