#include "journal/damage.h"

#include <charconv>

namespace tidemark::journal {
namespace {

constexpr std::string_view kBegin = "lines ";
constexpr std::string_view kMiddle = " to ";

/// Takes `word` from the front of `text`.
bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

bool take(std::string_view& text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::string to_text(const LineRange& lines) {
  return std::string(kBegin) + std::to_string(raw(lines.first)) + std::string(kMiddle) +
         std::to_string(raw(lines.last));
}

Error damaged(const LineRange& lines, const std::string& why) {
  return Error{Code::kCorruption, to_text(lines) + " are damaged: " + why};
}

Error missing(const LineRange& lines) {
  return Error{Code::kCorruption, to_text(lines) + " are missing"};
}

std::optional<LineRange> lines_of(const Error& error) {
  if (error.code != Code::kCorruption) return std::nullopt;
  std::string_view text = error.message;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (!take(text, kBegin) || !take(text, first) || !take(text, kMiddle) || !take(text, last)) {
    return std::nullopt;
  }
  if (first == 0 || last < first) return std::nullopt;
  return LineRange{Line{first}, Line{last}};
}

}  // namespace tidemark::journal
