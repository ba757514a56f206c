#include "tools/browse/line_window.h"

#include <algorithm>

#include "tools/table.h"

namespace tidemark::tools::browse {
namespace {

/// The beginning of `text`, without half a character at its end.
std::string_view beginning(std::string_view text) {
  if (text.size() <= kTextMax) return text;
  auto size = kTextMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

KeptLine kept_of(const model::api::LogLine& line) {
  return {line.line,
          line.recorded_at,
          printable(line.origin),
          line.kind,
          line.level,
          line.alarm,
          printable(beginning(line.subject)),
          printable(beginning(line.text))};
}

void LineWindow::reset(std::uint64_t line) {
  lines_.clear();
  from_ = to_ = std::max<std::uint64_t>(line, 1);
  unknown_ = at_end_ = false;
  at_begin_ = from_ == 1;
}

void LineWindow::reset_to_end() {
  reset(1);
  unknown_ = true;
  at_begin_ = false;
}

std::optional<std::uint64_t> LineWindow::older_from() const {
  if (at_begin_) return std::nullopt;
  return unknown_ ? 0 : from_ - 1;
}

std::optional<std::uint64_t> LineWindow::newer_from() const {
  if (unknown_) return std::nullopt;
  return to_;
}

void LineWindow::add_older(const model::api::ReadReply& reply) {
  if (unknown_) {
    to_ = from_ = reply.last_line + 1;
    at_end_ = true;
    unknown_ = false;
  }
  for (const auto& line : reply.lines) {
    if (line.line < from_) lines_.push_front(kept_of(line));
  }
  from_ = std::min(from_, reply.next + 1);
  stay_inside(reply.last_line);
  at_begin_ = reply.end || reply.next == 0;
  if (lines_.size() <= lines_max_) return;
  lines_.resize(lines_max_);
  to_ = lines_.back().line + 1;
  at_end_ = false;
}

void LineWindow::add_newer(const model::api::ReadReply& reply) {
  for (const auto& line : reply.lines) {
    if (line.line >= to_) lines_.push_back(kept_of(line));
  }
  to_ = std::max(to_, reply.next);
  stay_inside(reply.last_line);
  at_end_ = reply.end;
  if (lines_.size() <= lines_max_) return;
  lines_.erase(lines_.begin(),
               lines_.begin() + static_cast<std::ptrdiff_t>(lines_.size() - lines_max_));
  from_ = lines_.front().line;
  at_begin_ = false;
}

void LineWindow::stay_inside(std::uint64_t last_line) {
  // Somebody jumped behind the end: nothing is known of lines that are still to come.
  to_ = std::min(to_, last_line + 1);
  from_ = std::min(from_, to_);
}

std::optional<std::size_t> LineWindow::position(std::uint64_t line) const {
  if (lines_.empty()) return std::nullopt;
  const auto at =
      std::lower_bound(lines_.begin(), lines_.end(), line,
                       [](const auto& each, auto wanted) { return each.line < wanted; });
  const auto index = static_cast<std::size_t>(at - lines_.begin());
  return std::min(index, lines_.size() - 1);
}

}  // namespace tidemark::tools::browse
