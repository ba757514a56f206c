#include "tools/browse/screen.h"

#define NCURSES_NOMACROS
#define NCURSES_WIDECHAR 1
#include <langinfo.h>
#include <ncurses.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <string>

namespace tidemark::tools::browse {
namespace {

constexpr int kEscapeMilliseconds = 25;  // within them the rest of an arrow key comes

/// The texts are UTF-8, also where scripts and ssh leave the locale "C".
void choose_locale() {
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

short pair_of(Color color) {
  switch (color) {
    case Color::kNone:
    case Color::kBold:
    case Color::kDim: break;
    case Color::kRed: return 1;
    case Color::kGreen: return 2;
    case Color::kYellow: return 3;
    case Color::kMagenta: return 4;
  }
  return 0;
}

bool start_colors() {
  if (!::has_colors() || ::start_color() != OK) return false;
  ::use_default_colors();
  ::init_pair(pair_of(Color::kRed), COLOR_RED, -1);
  ::init_pair(pair_of(Color::kGreen), COLOR_GREEN, -1);
  ::init_pair(pair_of(Color::kYellow), COLOR_YELLOW, -1);
  ::init_pair(pair_of(Color::kMagenta), COLOR_MAGENTA, -1);
  return true;
}

attr_t attributes(const Span& span, bool row_reverse) {
  attr_t attributes = span.reverse != row_reverse ? A_REVERSE : A_NORMAL;
  if (span.color == Color::kBold) attributes |= A_BOLD;
  if (span.color == Color::kDim && !row_reverse) attributes |= A_DIM;
  return attributes;
}

std::wstring wide(const std::string& text) {
  std::wstring out(text.size(), L'\0');
  const char* from = text.c_str();
  std::mbstate_t state{};
  const auto length = std::mbsrtowcs(out.data(), &from, out.size(), &state);
  if (length != static_cast<std::size_t>(-1)) {
    out.resize(length);
    return out;
  }
  // A code point that this library does not know: what it does know is still shown.
  out.clear();
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) out += (c & 0x80) != 0 ? L'?' : wchar_t(c);
  }
  return out;
}

std::optional<KeyName> name_of(wint_t code) {
  switch (code) {
    case KEY_UP: return KeyName::kUp;
    case KEY_DOWN: return KeyName::kDown;
    case KEY_LEFT: return KeyName::kLeft;
    case KEY_RIGHT: return KeyName::kRight;
    case KEY_PPAGE: return KeyName::kPageUp;
    case KEY_NPAGE: return KeyName::kPageDown;
    case KEY_HOME: return KeyName::kHome;
    case KEY_END: return KeyName::kEnd;
    case KEY_BACKSPACE: return KeyName::kBackspace;
    case KEY_DC: return KeyName::kDelete;
    case KEY_ENTER: return KeyName::kEnter;
    default: return std::nullopt;
  }
}

Key key_of(wint_t code) {
  switch (code) {
    case '\r':
    case '\n': return {KeyName::kEnter, 0};
    case 0x03: return {KeyName::kInterrupt, 0};
    case 0x08:
    case 0x7f: return {KeyName::kBackspace, 0};
    case 0x1b: return {KeyName::kEscape, 0};
    default: return {KeyName::kCharacter, static_cast<char32_t>(code)};
  }
}

}  // namespace

Result<std::unique_ptr<Screen>> Screen::open(bool colored) {
  choose_locale();
  const char* type = std::getenv("TERM");
  const auto terminal = std::string(type == nullptr ? "" : type);
  bool able = ::newterm(nullptr, stdout, stdin) != nullptr;
  if (able && ::tigetstr("cup") == nullptr) {
    ::endwin();
    able = false;
  }
  if (!able) {
    return Error{Code::kInvalidArgument, "a terminal of type '" + terminal +
                                             "' (TERM) has no full screen; use `log query`"};
  }
  return std::unique_ptr<Screen>(new Screen(colored && start_colors()));
}

Screen::Screen(bool colored) : colored_(colored) {
  ::raw();  // Ctrl-C and Ctrl-Z are keys like others.
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::scrollok(stdscr, FALSE);
  ::set_escdelay(kEscapeMilliseconds);
}

Screen::~Screen() { ::endwin(); }

Size Screen::size() const {
  return {static_cast<std::size_t>(std::max(::getmaxy(stdscr), 0)),
          static_cast<std::size_t>(std::max(::getmaxx(stdscr), 0))};
}

void Screen::draw(const Frame& frame) {
  ::werase(stdscr);
  for (std::size_t y = 0; y < frame.rows.size(); ++y) {
    const auto& row = frame.rows[y];
    const auto line = static_cast<int>(y);
    ::wmove(stdscr, line, 0);
    int x = 0;
    for (const auto& span : row.spans) {
      ::wattr_set(stdscr, attributes(span, row.reverse), colored_ ? pair_of(span.color) : short{0},
                  nullptr);
      ::mvwaddwstr(stdscr, line, x, wide(span.text).c_str());
      x += static_cast<int>(display_width(span.text));
    }
    if (!row.reverse || x >= ::getmaxx(stdscr)) continue;
    ::wattr_set(stdscr, A_REVERSE, 0, nullptr);
    ::mvwhline(stdscr, line, x, ' ' | A_REVERSE, ::getmaxx(stdscr) - x);
  }
  ::wattr_set(stdscr, A_NORMAL, 0, nullptr);
  ::curs_set(frame.caret ? 1 : 0);
  const auto last = frame.rows.empty() ? 0 : static_cast<int>(frame.rows.size()) - 1;
  ::wmove(stdscr, last, frame.caret ? static_cast<int>(*frame.caret) : 0);
  ::wrefresh(stdscr);
}

void Screen::suspend() {
  std::raise(SIGTSTP);  // ncurses saves and restores the terminal around it.
  repaint();
}

void Screen::repaint() { ::clearok(stdscr, TRUE); }

std::optional<std::variant<Key, Size>> Screen::next() {
  while (true) {
    wint_t code = 0;
    const int got = ::wget_wch(stdscr, &code);
    if (got == ERR) return std::nullopt;
    if (got != KEY_CODE_YES) return key_of(code);
    if (code == KEY_RESIZE) {
      repaint();  // Terminals move what they show, each in its own way.
      return size();
    }
    if (const auto name = name_of(code)) return Key{*name, 0};
  }
}

}  // namespace tidemark::tools::browse
