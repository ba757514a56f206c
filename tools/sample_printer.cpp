#include "tools/sample_printer.h"

#include <ostream>

#include "tools/csv.h"
#include "tools/past.h"
#include "tools/past_show.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

/// Fixed widths: what comes in pieces cannot know what comes next.
constexpr std::size_t kTimeWidth = 24;
constexpr std::size_t kValueWidth = 16;
constexpr std::size_t kAlarmWidth = 14;
constexpr std::size_t kLineWidth = 9;
constexpr std::size_t kGaps = 3 * 2;

std::string padded(std::string text, std::size_t width, bool right) {
  const auto used = display_width(text);
  if (used < width) text.insert(right ? 0 : text.size(), width - used, ' ');
  return text;
}

}  // namespace

void SamplePrinter::titles() const {
  if (csv_) {
    print_csv(context_.out, {"time", "event", "value", "label", "severity", "status", "line"});
  } else if (!context_.json) {
    if (lateness_) {
      context_.out << paint(rule_text(*lateness_), Color::kBold, context_.color()) << "\n";
    }
    const auto value = pv_.units.empty() ? "VALUE" : "VALUE [" + printable(pv_.units) + "]";
    row({"IOC TIME", Color::kBold}, {value, Color::kBold}, {"ALARM", Color::kBold},
        {"LINE", Color::kBold});
  }
}

void SamplePrinter::print(const model::PvUpdate& update, std::uint64_t line) const {
  const auto event = event_text(update.event);
  if (context_.json) {
    auto json = sample_json(update, pv_.labels, line);
    add_rule(json, lateness_);
    return context_.print(json);
  }
  if (csv_) {
    return print_csv(context_.out, {csv_time(update.taken_at), event.empty() ? "value" : event,
                                    csv_value(update.value), csv_label(update.value, pv_.labels),
                                    std::string(model::to_string(update.alarm.severity)),
                                    model::status_text(update.alarm.status), std::to_string(line)});
  }
  Cell value(event, Color::kMagenta);
  if (event.empty()) {
    value = {printable(value_text(update.value, pv_.labels, pv_.precision)),
             alarm_color(update.alarm)};
  }
  row(time_text(update.taken_at), value, {alarm_text(update.alarm), alarm_color(update.alarm)},
      std::to_string(line));
}

void SamplePrinter::row(const Cell& time, Cell value, const Cell& alarm, const Cell& line) const {
  constexpr auto kOthers = kTimeWidth + kAlarmWidth + kLineWidth + kGaps;
  if (context_.columns > 0) {
    const auto room = context_.columns - std::min(context_.columns, kOthers);
    value.text = shorten(value.text, std::max(room, kValueWidth));
  }
  const bool color = context_.color();
  context_.out << paint(padded(time.text, kTimeWidth, false), time.color, color) << "  "
               << paint(padded(value.text, kValueWidth, true), value.color, color) << "  "
               << paint(padded(alarm.text, kAlarmWidth, false), alarm.color, color) << "  "
               << paint(padded(line.text, kLineWidth, true), line.color, color) << "\n";
}

}  // namespace tidemark::tools
