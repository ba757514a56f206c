#include "nodes/log_limit.h"

#include <algorithm>
#include <utility>

namespace tidemark::nodes {
namespace {

constexpr std::size_t kShapeBytesMax = 80;  // of a text: what tells it from others

std::string shape_of(model::Level level, std::string_view text) {
  std::string shape(1, static_cast<char>('0' + static_cast<int>(level)));
  for (const char c : text.substr(0, 2 * kShapeBytesMax)) {
    if (c >= '0' && c <= '9') continue;
    shape += c;
    if (shape.size() > kShapeBytesMax) break;
  }
  return shape;
}

}  // namespace

bool LogLimit::admit(model::Level level, std::string_view text, SteadyTime now) {
  if (now - began_ >= kWindow) {
    began_ = now;
    passed_ = 0;
    std::erase_if(alike_, [&](const auto& each) {
      return each.second.more.count == 0 && now - each.second.began >= kWindow;
    });
  }
  // Beyond the limit of all, everything counts as alike, so that the table stays small.
  const bool flood = passed_ >= kAllMax;
  auto& alike = alike_[flood ? std::string() : shape_of(level, text)];
  if (now - alike.began >= kWindow && alike.more.count == 0) alike = {now, 0, {}};
  if (!flood && alike.passed < kAlikeMax) {
    ++alike.passed;
    ++passed_;
    return true;
  }
  auto& more = alike.more;
  if (more.count++ == 0) more.text = text;
  more.level = std::max(more.level, level);
  return false;
}

std::vector<LogLimit::More> LogLimit::more(SteadyTime now, bool all) {
  std::vector<More> out;
  for (auto& [shape, alike] : alike_) {
    if (alike.more.count == 0 || (!all && now - alike.began < kWindow)) continue;
    out.push_back(std::exchange(alike.more, {}));
  }
  return out;
}

bool LogLimit::has_more() const {
  return std::any_of(alike_.begin(), alike_.end(),
                     [](const auto& each) { return each.second.more.count > 0; });
}

}  // namespace tidemark::nodes
