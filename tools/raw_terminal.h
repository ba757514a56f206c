// tools/raw_terminal.h
//
// A terminal that hands over keys as they are pressed, and a page of its own to draw on. What was
// on the screen comes back when it ends.

#pragma once

#include <termios.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::tools {

enum class Press : std::uint8_t { kUp, kDown, kLeft, kRight, kHome, kEnd, kEscape, kCharacter };

struct KeyPress {
  Press press = Press::kCharacter;
  char character = 0;
  bool operator==(const KeyPress&) const = default;
};

/// What a terminal sends for them. Sequences that are not known are left out; one that is not whole
/// yet stays in `bytes`.
std::vector<KeyPress> take_keys(std::string& bytes);

class RawTerminal {
 public:
  /// Standard input and output, which are terminals.
  RawTerminal();
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  struct Size {
    std::size_t columns = 80;
    std::size_t rows = 24;
  };
  Size size() const;
  /// Those that were pressed. Never waits.
  std::vector<KeyPress> keys();
  /// The page, from the top; at most as many lines as there are rows.
  void draw(const std::vector<std::string>& lines);

 private:
  termios before_{};
  std::string bytes_;
};

}  // namespace tidemark::tools
