// tools/browse/line_edit.h
//
// One line that somebody types, with the usual keys: arrows, Home, End, Backspace, Delete,
// Ctrl-A, Ctrl-E, Ctrl-U (all before), Ctrl-W (the word before), up and down for what was typed
// earlier. Pure.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/browse/key.h"

namespace tidemark::tools::browse {

class LineEdit {
 public:
  LineEdit() = default;
  /// `earlier`: what was typed before, the newest last.
  LineEdit(std::string text, std::vector<std::string> earlier);

  /// False when the key means nothing here.
  bool take(const Key& key);

  const std::string& text() const { return text_; }
  /// Bytes before the cursor.
  std::size_t cursor() const { return cursor_; }

 private:
  std::size_t before_cursor() const;
  std::size_t after_cursor() const;
  void recall(std::size_t index);

  std::string text_;
  std::size_t cursor_ = 0;
  std::vector<std::string> earlier_;  // the last one: what is being typed
  std::size_t at_ = 0;                // in earlier_
};

}  // namespace tidemark::tools::browse
