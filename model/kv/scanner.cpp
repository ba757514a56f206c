#include "model/kv/scanner.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tidemark::model::kv {
namespace {

bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

/// The byte that `\` and the front of `text` stand for, taken off the front of `text`.
std::optional<char> take_escape(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const char c = text.front();
  text.remove_prefix(1);
  switch (c) {
    case '"':
    case '\\': return c;
    case 'n': return '\n';
    case 't': return '\t';
    case 'x': {
      unsigned byte = 0;
      const auto* end = text.data() + std::min<std::size_t>(2, text.size());
      const auto [stopped, error] = std::from_chars(text.data(), end, byte, 16);
      if (error != std::errc{} || stopped != text.data() + 2) return std::nullopt;
      text.remove_prefix(2);
      return static_cast<char>(byte);
    }
    default: return std::nullopt;
  }
}

}  // namespace

char Scanner::peek() {
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool Scanner::accept(char c) {
  if (peek() != c) return false;
  ++at_;
  return true;
}

std::string_view Scanner::word() {
  peek();
  const auto begin = at_;
  while (at_ < text_.size() && in_word(text_[at_])) ++at_;
  return text_.substr(begin, at_ - begin);
}

std::string_view Scanner::until(std::string_view stops) {
  peek();
  const auto begin = at_;
  at_ = std::min(text_.find_first_of(stops, begin), text_.size());
  auto end = at_;
  while (end > begin && text_[end - 1] == ' ') --end;
  return text_.substr(begin, end - begin);
}

Result<std::string> Scanner::name() {
  if (peek() != '"') {
    const auto found = word();
    if (found.empty()) return expected("a name");
    return std::string(found);
  }
  const auto begin = at_;
  auto rest = text_.substr(begin + 1);
  std::string out;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') {
      at_ = text_.size() - rest.size();
      return out;
    }
    if (c != '\\') {
      out += c;
    } else if (const auto byte = take_escape(rest)) {
      out += *byte;
    } else {
      return expected("\\\", \\\\, \\n, \\t or \\xNN", text_.size() - rest.size());
    }
  }
  return expected("quotes that end", begin);
}

Error Scanner::expected(std::string_view what, std::size_t position) const {
  constexpr std::size_t kShownMax = 24;
  const auto rest = text_.substr(position);
  std::string found = rest.empty() ? "the end" : "'" + std::string(rest.substr(0, kShownMax));
  if (!rest.empty()) found += rest.size() > kShownMax ? "…'" : "'";
  return {Code::kInvalidArgument, "position " + std::to_string(position) + ": expected " +
                                      std::string(what) + ", not " + found};
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), in_word);
}

std::string quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string name_text(std::string_view name) {
  return is_word(name) ? std::string(name) : quoted(name);
}

}  // namespace tidemark::model::kv
