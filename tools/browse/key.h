// tools/browse/key.h
//
// What somebody pressed, whatever the terminal calls it.

#pragma once

#include <cstdint>

namespace tidemark::tools::browse {

enum class KeyName : std::uint8_t {
  kCharacter,  // `character` says which; Ctrl-L is U+000C
  kUp,
  kDown,
  kLeft,
  kRight,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
  kBackspace,
  kDelete,
  kEnter,
  kEscape,
  kInterrupt,  // Ctrl-C
};

struct Key {
  KeyName name = KeyName::kCharacter;
  char32_t character = 0;
  bool operator==(const Key&) const = default;
};

inline constexpr char32_t ctrl(char letter) { return static_cast<char32_t>(letter) & 0x1f; }

}  // namespace tidemark::tools::browse
