#include "tools/replay_view.h"

#include <algorithm>

#include "tools/replays.h"
#include "tools/show.h"
#include "tools/watched.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

constexpr std::size_t kLinesKept = 100;
constexpr std::size_t kLinesShown = 5;
constexpr std::size_t kViewCells = 20;
constexpr Duration kJump = 10s;  // of recorded time
constexpr double kFaster = 2;
constexpr std::string_view kKeys =
    "space pause  s block  . line  → +10s  ← -10s  ↑ faster  ↓ slower  m max  q quit";

std::string bar(const api::ReplayStatus& status) {
  const auto whole = static_cast<double>(status.to - status.from);
  const auto share = whole > 0 ? static_cast<double>(status.line - status.from) / whole : 1.0;
  const auto full =
      static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(kViewCells));
  std::string out = "[";
  for (std::size_t i = 0; i < kViewCells; ++i) out += i < full ? "█" : "·";
  return out + "]";
}

}  // namespace

ReplayView::ReplayView(std::vector<api::LiveValue> values) {
  for (auto& value : values) {
    name_width_ = std::max(name_width_, display_width(value.address));
    const auto channel = value.channel;
    rows_[channel].value = std::move(value);
  }
}

void ReplayView::take(const std::vector<model::PvUpdate>& updates, bool whole) {
  if (whole) {
    for (auto& [channel, row] : rows_) forget(row.value);
  }
  for (const auto& update : updates) {
    const auto found = rows_.find(update.channel);
    if (found == rows_.end()) continue;
    auto& row = found->second;
    const auto before = row.value;
    apply(update, row.value);
    if (!whole && !shows_the_same(before, row.value)) row.changed = ++changes_;
  }
}

void ReplayView::take(const api::ReplayNews& news) {
  status_ = news.status;
  for (const auto& line : news.lines) {
    if (lines_.size() >= kLinesKept) lines_.pop_front();
    lines_.push_back(line);
  }
}

std::string ReplayView::head(std::size_t columns, bool color) const {
  const auto phase = std::string(to_string(status_.phase));
  const bool runs = status_.phase == api::ReplayPhase::kRunning;
  auto text = time_text(status_.moment) + "  " + phase + " " + speed_text(status_.speed);
  auto rest = "  " + bar(status_) + "  line " + std::to_string(status_.line) + " of " +
              std::to_string(status_.to);
  if (display_width(text) + display_width(rest) > columns) rest.clear();
  return paint(shorten(text, columns), runs ? Color::kGreen : Color::kYellow, color) + rest;
}

std::string ReplayView::row(const Row& row, std::size_t columns, bool color) const {
  const auto& value = row.value;
  const auto name = printable(value.address);
  auto text = printable(value_text(value.value, value.labels, value.precision));
  if (!value.units.empty()) text += " " + printable(value.units);
  auto more = alarm_text(value.alarm);
  if (value.state != model::LiveState::kConnected) more = state_text(value.state);
  auto out = name + std::string(name_width_ - std::min(name_width_, display_width(name)), ' ') +
             "  " + text + (more.empty() ? "" : "  " + more);
  return paint(shorten(out, columns), alarm_color(value.alarm), color);
}

std::vector<std::string> ReplayView::page(RawTerminal::Size size, bool color) const {
  std::vector<std::string> page = {head(size.columns, color)};
  std::vector<const Row*> rows;
  for (const auto& [channel, each] : rows_) rows.push_back(&each);
  const auto shown_lines = std::min(kLinesShown, lines_.size());
  const auto frame = 2 + shown_lines + (shown_lines > 0 ? 1 : 0);
  const auto room = size.rows > frame ? size.rows - frame : 0;
  if (rows.size() > room) {
    // What changed last, in the order of names, so that rows seldom move.
    std::nth_element(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(room), rows.end(),
                     [](const Row* a, const Row* b) { return a->changed > b->changed; });
    rows.resize(room);
  }
  std::sort(rows.begin(), rows.end(),
            [](const Row* a, const Row* b) { return a->value.address < b->value.address; });
  for (const auto* each : rows) page.push_back(row(*each, size.columns, color));
  if (shown_lines > 0) page.emplace_back();
  for (auto at = lines_.size() - shown_lines; at < lines_.size(); ++at) {
    const auto& line = lines_[at];
    page.push_back(shorten(time_text(line.recorded_at) + "  " +
                               std::string(model::to_string(line.kind)) + "  " +
                               printable(line.subject) + "  " + printable(line.text),
                           size.columns));
  }
  while (page.size() + 1 < size.rows) page.emplace_back();
  page.push_back(shorten(std::string(kKeys), size.columns));
  return page;
}

std::optional<api::ReplayControl> meant_by(const KeyPress& key, const api::ReplayStatus& now) {
  api::ReplayControl wanted;
  wanted.id = now.id;
  const auto seek = [&](Duration by) {
    wanted.action = api::ReplayAction::kSeek;
    wanted.at.time = now.moment + by;
    return wanted;
  };
  const auto faster = [&](double factor) {
    wanted.action = api::ReplayAction::kSpeed;
    const bool max = now.speed == api::ReplayRequest::kAsFastAsItGoes;
    wanted.speed = std::clamp(max ? api::ReplayRequest::kSpeedMax : now.speed * factor,
                              api::ReplayRequest::kSpeedMin, api::ReplayRequest::kSpeedMax);
    return wanted;
  };
  switch (key.press) {
    case Press::kRight: return seek(kJump);
    case Press::kLeft: return seek(-kJump);
    case Press::kUp: return faster(kFaster);
    case Press::kDown: return faster(1 / kFaster);
    case Press::kHome: wanted.at.time = now.from_time; break;
    case Press::kEnd: wanted.at.time = now.to_time; break;
    case Press::kEscape: return std::nullopt;
    case Press::kCharacter: break;
  }
  if (key.press != Press::kCharacter) {
    wanted.action = api::ReplayAction::kSeek;
    return wanted;
  }
  switch (key.character) {
    case ' ':
      wanted.action = now.phase == api::ReplayPhase::kPaused ? api::ReplayAction::kResume
                                                             : api::ReplayAction::kPause;
      return wanted;
    case 's': wanted.action = api::ReplayAction::kStepBlocks; return wanted;
    case '.': wanted.action = api::ReplayAction::kStepLines; return wanted;
    case 'm':
      wanted.action = api::ReplayAction::kSpeed;
      wanted.speed = api::ReplayRequest::kAsFastAsItGoes;
      return wanted;
    default: return std::nullopt;
  }
}

bool means_quit(const KeyPress& key) {
  return key.press == Press::kEscape || (key.press == Press::kCharacter && key.character == 'q');
}

}  // namespace tidemark::tools
