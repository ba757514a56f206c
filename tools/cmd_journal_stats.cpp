// tools/cmd_journal_stats.cpp
//
// journal stats: what a journal holds, and how fast it grows.

#include <cstdio>
#include <memory>
#include <ostream>

#include "journal/class_figures.h"
#include "journal/projections.h"
#include "journal/rocks_store.h"
#include "tools/commands.h"
#include "tools/journal_directory.h"
#include "tools/show.h"
#include "tools/table.h"
#include "tools/times.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
using journal::Line;
using journal::raw;

/// Lines of the last `span` before the journal's last one.
struct Rate {
  const char* name;
  Duration span;
  std::uint64_t lines = 0;
  double per_second() const {
    return static_cast<double>(lines) / std::chrono::duration<double>(span).count();
  }
};

struct Stats {
  std::string directory;
  Line first{0};
  Line last{0};
  UtcTime first_at{};
  UtcTime last_at{};
  std::uint64_t bytes = 0;
  std::size_t channels = 0;
  Line sealed{0};
  Line keyframe{0};
  std::uint64_t segments = 0;  // sealed ones
  journal::Inspection parts;
  journal::Figures classes;
  journal::DecimatedFigures decimated;
  std::vector<Rate> rates;
};

Result<Stats> stats_of(const std::string& directory) {
  journal::RocksStoreOptions options;
  options.directory = directory;
  const auto opened = journal::open_rocks_journal_to_read(options);
  if (!opened) return opened.error();
  const auto& store = *opened.value().store;
  Stats stats;
  stats.directory = directory;
  stats.parts = opened.value().inspect();
  for (const auto& part : stats.parts.parts) stats.bytes += part.bytes;
  const auto classes = journal::figures_of(*opened.value().projections, *store.expired());
  if (!classes) return classes.error();
  stats.classes = classes.value();
  const auto decimated = journal::decimated_figures(*opened.value().projections);
  if (!decimated) return decimated.error();
  stats.decimated = decimated.value();
  stats.last = store.last();
  stats.channels = store.channels().size();
  const auto scanned = store.scan(Line{1}, {}, [&](journal::Block& block) {
    stats.first = block.first;
    stats.first_at = block.recorded_at;
    return false;
  });
  if (!scanned) return scanned.error();
  const auto back = store.scan_back(stats.last, {}, [&](journal::Block& block) {
    stats.last_at = block.recorded_at;
    return false;
  });
  if (!back) return back.error();
  for (auto rate : {Rate{"minute", 1min}, Rate{"hour", 1h}, Rate{"day", 24h}}) {
    if (stats.last_at - stats.first_at < rate.span) continue;
    const auto before = store.line_at(stats.last_at - rate.span);
    if (!before) return before.error();
    rate.lines = raw(stats.last) - raw(before.value());
    stats.rates.push_back(rate);
  }
  const auto projections =
      std::make_shared<journal::Projections>(opened.value().store, opened.value().projections);
  const auto loaded = projections->load();
  if (!loaded) return loaded.error();
  stats.sealed = projections->sealed();
  stats.keyframe = projections->projected();  // What comes after it has not been read yet.
  if (stats.sealed != Line{0}) {
    const auto& segments = projections->segments();
    const auto segment = segments.of(stats.sealed);
    stats.segments = segments.end(segment) == stats.sealed ? segment + 1 : segment;
  }
  return stats;
}

template <class Visit>
void for_classes(const Stats& stats, Visit&& visit) {
  for (std::size_t of = 0; of < stats.classes.size(); ++of) {
    visit(to_string(static_cast<journal::RecordClass>(of)), stats.classes[of]);
  }
}

double bytes_per_line(const Stats& stats) {
  return stats.last == Line{0} ? 0.0
                               : static_cast<double>(stats.bytes) /
                                     static_cast<double>(raw(stats.last) - raw(stats.first) + 1);
}

Json stats_json(const Context& context, const Stats& stats) {
  Json parts = Json::array();
  for (const auto& part : stats.parts.parts) {
    parts.push_back({{"name", part.name}, {"entries", part.entries}, {"bytes", part.bytes}});
  }
  Json classes = Json::array();
  for_classes(stats, [&](std::string_view name, const journal::ClassFigures& each) {
    classes.push_back({{"name", name},
                       {"bytes", each.bytes},
                       {"floor_line", raw(each.floor)},
                       {"expired_lines", each.expired_lines},
                       {"expired_bytes", each.expired_bytes}});
  });
  Json origins = Json::array();
  for (const auto& [origin, mark] : stats.parts.origins) {
    origins.push_back({{"origin", origin_name(context, origin)},
                       {"uuid", origin.text()},
                       {"incarnation", mark.incarnation},
                       {"sequence", mark.sequence},
                       {"line", raw(mark.line)},
                       {"recorded_at", time_json(mark.recorded_at)}});
  }
  Json rates = Json::object();
  for (const auto& rate : stats.rates) rates[rate.name] = rate.per_second();
  return {
      {"directory", stats.directory},
      {"first_line", raw(stats.first)},
      {"last_line", raw(stats.last)},
      {"first_at", time_json(stats.first_at)},
      {"last_at", time_json(stats.last_at)},
      {"bytes", stats.bytes},
      {"bytes_per_line", bytes_per_line(stats)},
      {"lines_per_second", rates},
      {"channels", stats.channels},
      {"sealed_line", raw(stats.sealed)},
      {"sealed_segments", stats.segments},
      {"keyframe_line", raw(stats.keyframe)},
      {"witness_line", stats.parts.witnessed ? Json(raw(*stats.parts.witnessed)) : Json()},
      {"parts", parts},
      {"classes", classes},
      {"pv_decimated", {{"updates", stats.decimated.samples}, {"bytes", stats.decimated.bytes}}},
      {"origins", origins}};
}

void print(const Context& context, const Stats& stats) {
  auto& out = context.out;
  out << "lines      " << raw(stats.first) << " to " << raw(stats.last) << "\n"
      << "times      " << time_text(stats.first_at) << " to " << time_text(stats.last_at) << "\n";
  char text[64];
  std::snprintf(text, sizeof text, "%.1f", bytes_per_line(stats));
  out << "size       " << bytes_text(stats.bytes) << ", " << text << " bytes a line\n";
  for (const auto& rate : stats.rates) {
    std::snprintf(text, sizeof text, "%.1f", rate.per_second());
    out << "rate       " << text << " lines/s in the last " << rate.name << "\n";
  }
  out << "channels   " << stats.channels << "\n"
      << "sealed     up to line " << raw(stats.sealed) << ", " << stats.segments
      << " whole segments; the last keyframe is of line " << raw(stats.keyframe) << "\n"
      << "witness    "
      << (stats.parts.witnessed ? "line " + std::to_string(raw(*stats.parts.witnessed))
                                : std::string("none"))
      << "\n\n";
  Table parts({{"PART"}, {"ENTRIES", true}, {"BYTES", true, false}});
  for (const auto& part : stats.parts.parts) {
    parts.add({part.name, part.entries == 0 ? "-" : std::to_string(part.entries),
               bytes_text(part.bytes)});
  }
  parts.print(out, context.columns, context.color());
  out << "\n";
  Table classes({{"CLASS"},
                 {"BYTES", true, false},
                 {"GONE UP TO LINE", true, false},
                 {"LINES EXPIRED", true, false},
                 {"BYTES EXPIRED", true, false}});
  for_classes(stats, [&](std::string_view name, const journal::ClassFigures& each) {
    const auto number = [](std::uint64_t of) { return of == 0 ? "-" : std::to_string(of); };
    classes.add({std::string(name), bytes_text(each.bytes), number(raw(each.floor)),
                 number(each.expired_lines),
                 each.expired_bytes == 0 ? "-" : bytes_text(each.expired_bytes)});
  });
  classes.print(out, context.columns, context.color());
  if (stats.decimated.samples > 0) {
    out << "\n"
        << stats.decimated.samples << " PV updates that expired are decimated to "
        << bytes_text(stats.decimated.bytes) << "\n";
  }
  if (stats.parts.origins.empty()) return;
  out << "\n";
  Table origins({{"ORIGIN"},
                 {"INCARNATION", true},
                 {"RECORDS", true},
                 {"LAST LINE", true, false},
                 {"RECORDED AT", false, false}});
  for (const auto& [origin, mark] : stats.parts.origins) {
    origins.add({origin_name(context, origin), std::to_string(mark.incarnation),
                 std::to_string(mark.sequence), std::to_string(raw(mark.line)),
                 time_text(mark.recorded_at)});
  }
  origins.print(out, context.columns, context.color());
}

Exit stats(Context& context, const std::string& named) {
  const auto directory = directory_of(context, named);
  if (!directory) return context.report(directory.error());
  const auto found = stats_of(directory.value());
  if (!found) return context.report(found.error());
  if (context.json) {
    context.print(stats_json(context, found.value()));
  } else {
    print(context, found.value());
  }
  return Exit::kFine;
}

}  // namespace

void add_journal_stats(Command journal, Context& context) {
  auto directory = std::make_shared<std::string>();
  auto command = add_command(
      journal, context, "stats",
      {"Show what a journal holds, and how fast it grows",
       "Lines, times, bytes by part and by class of what closed segments have, what has expired, "
       "rates, who wrote. Also beside a running node; it reads little.",
       "  tidemark journal stats\n  tidemark journal stats data/journal/store --json"},
      [&context, directory] { return stats(context, *directory); });
  add_directory(command, *directory);
}

}  // namespace tidemark::tools
