#include "tools/browse/line_edit.h"

#include <utility>

namespace tidemark::tools::browse {
namespace {

constexpr std::size_t kLineMax = 4096;  // bytes; a filter is a few words

bool inside_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

std::string utf8(char32_t code) {
  const auto byte = [](char32_t bits) { return static_cast<char>(bits); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xc0 | (code >> 6)), byte(0x80 | (code & 0x3f))};
  if (code < 0x10000) {
    return {byte(0xe0 | (code >> 12)), byte(0x80 | ((code >> 6) & 0x3f)),
            byte(0x80 | (code & 0x3f))};
  }
  return {byte(0xf0 | (code >> 18)), byte(0x80 | ((code >> 12) & 0x3f)),
          byte(0x80 | ((code >> 6) & 0x3f)), byte(0x80 | (code & 0x3f))};
}

}  // namespace

LineEdit::LineEdit(std::string text, std::vector<std::string> earlier)
    : text_(std::move(text)), cursor_(text_.size()), earlier_(std::move(earlier)) {
  at_ = earlier_.size();
  earlier_.push_back(text_);
}

std::size_t LineEdit::before_cursor() const {
  auto at = cursor_;
  while (at > 0 && inside_character(text_[at - 1])) --at;
  return at > 0 ? at - 1 : 0;
}

std::size_t LineEdit::after_cursor() const {
  auto at = cursor_;
  if (at < text_.size()) ++at;
  while (at < text_.size() && inside_character(text_[at])) ++at;
  return at;
}

void LineEdit::recall(std::size_t index) {
  if (earlier_.empty()) return;
  earlier_[at_] = text_;
  at_ = index;
  text_ = earlier_[at_];
  cursor_ = text_.size();
}

bool LineEdit::take(const Key& key) {
  const auto erase = [&](std::size_t from, std::size_t to) {
    text_.erase(from, to - from);
    cursor_ = from;
  };
  switch (key.name) {
    case KeyName::kLeft: cursor_ = before_cursor(); return true;
    case KeyName::kRight: cursor_ = after_cursor(); return true;
    case KeyName::kHome: cursor_ = 0; return true;
    case KeyName::kEnd: cursor_ = text_.size(); return true;
    case KeyName::kBackspace: erase(before_cursor(), cursor_); return true;
    case KeyName::kDelete: text_.erase(cursor_, after_cursor() - cursor_); return true;
    case KeyName::kUp:
      if (at_ > 0) recall(at_ - 1);
      return true;
    case KeyName::kDown:
      if (at_ + 1 < earlier_.size()) recall(at_ + 1);
      return true;
    case KeyName::kCharacter: break;
    default: return false;
  }
  if (key.character == ctrl('A')) return take({KeyName::kHome, 0});
  if (key.character == ctrl('E')) return take({KeyName::kEnd, 0});
  if (key.character == ctrl('U')) {
    erase(0, cursor_);
  } else if (key.character == ctrl('W')) {
    auto from = cursor_;
    while (from > 0 && text_[from - 1] == ' ') --from;
    while (from > 0 && text_[from - 1] != ' ') --from;
    erase(from, cursor_);
  } else if (key.character < 0x20 || (key.character >= 0x7f && key.character < 0xa0)) {
    return false;
  } else if (text_.size() < kLineMax) {
    const auto typed = utf8(key.character);
    text_.insert(cursor_, typed);
    cursor_ += typed.size();
  }
  return true;
}

}  // namespace tidemark::tools::browse
