#include "tools/raw_terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace tidemark::tools {
namespace {

constexpr std::string_view kOpen = "\x1b[?1049h\x1b[?25l";  // another page, no cursor
constexpr std::string_view kClose = "\x1b[?25h\x1b[?1049l";

void write_all(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::optional<Press> named(char last) {
  switch (last) {
    case 'A': return Press::kUp;
    case 'B': return Press::kDown;
    case 'C': return Press::kRight;
    case 'D': return Press::kLeft;
    case 'H': return Press::kHome;
    case 'F': return Press::kEnd;
    default: return std::nullopt;
  }
}

}  // namespace

std::vector<KeyPress> take_keys(std::string& bytes) {
  std::vector<KeyPress> keys;
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (bytes[at] != '\x1b') {
      keys.push_back({Press::kCharacter, bytes[at++]});
      continue;
    }
    // Alone it is the key itself: what a terminal sends for others comes in one piece.
    if (at + 1 == bytes.size()) {
      keys.push_back({Press::kEscape, 0});
      ++at;
      continue;
    }
    if (bytes[at + 1] != '[' && bytes[at + 1] != 'O') {
      at += 2;
      continue;
    }
    const auto is_last = [](char c) { return c >= '@' && c <= '~'; };
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at) + 2;
    const auto last = std::find_if(begin, bytes.end(), is_last);
    if (last == bytes.end()) break;
    if (const auto press = named(*last)) keys.push_back({*press, 0});
    at = static_cast<std::size_t>(last - bytes.begin()) + 1;
  }
  bytes.erase(0, at);
  constexpr std::size_t kSequenceMax = 32;  // longer ones are noise
  if (bytes.size() > kSequenceMax) bytes.clear();
  return keys;
}

RawTerminal::RawTerminal() {
  ::tcgetattr(STDIN_FILENO, &before_);
  auto raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Ctrl-C stays a signal
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  write_all(kOpen);
}

RawTerminal::~RawTerminal() {
  write_all(kClose);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

RawTerminal::Size RawTerminal::size() const {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return {};
  return {window.ws_col, window.ws_row};
}

std::vector<KeyPress> RawTerminal::keys() {
  pollfd ready{STDIN_FILENO, POLLIN, 0};
  std::array<char, 256> some{};
  while (::poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0) {
    const auto got = ::read(STDIN_FILENO, some.data(), some.size());
    if (got <= 0) break;
    bytes_.append(some.data(), static_cast<std::size_t>(got));
  }
  return take_keys(bytes_);
}

void RawTerminal::draw(const std::vector<std::string>& lines) {
  std::string page = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    page += (i == 0 ? "" : "\r\n") + lines[i] + "\x1b[K";
  }
  write_all(page + "\x1b[J");
}

}  // namespace tidemark::tools
