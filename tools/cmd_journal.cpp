// tools/cmd_journal.cpp
//
// journal check, repair, rebuild: whether a journal on disk is what was written, and what to do
// when it is not.

#include <algorithm>
#include <memory>
#include <ostream>

#include "journal/check.h"
#include "journal/decimated_check.h"
#include "journal/rocks_backup.h"
#include "journal/rocks_repair.h"
#include "journal/segment_check.h"
#include "tools/commands.h"
#include "tools/journal_directory.h"
#include "tools/table.h"

namespace tidemark::tools {
namespace {

using journal::Line;
using journal::raw;

journal::RocksStoreOptions options_of(const std::string& directory) {
  journal::RocksStoreOptions options;
  options.directory = directory;
  return options;
}

Json damage_json(const journal::Damage& damage) {
  return {
      {"first", raw(damage.lines.first)}, {"last", raw(damage.lines.last)}, {"why", damage.why}};
}

// ---- check --------------------------------------------------------------------------------------

struct Checked {
  std::vector<std::string> findings;  // of the directory as a whole
  Line last{0};
  bool witnessed = false;
  journal::LinesReport lines;
  journal::DecimatedReport decimated;
  journal::ProjectionsReport projections;
  bool projections_looked_at = false;
  bool is_backup = false;
  bool sound() const {
    return findings.empty() && lines.damage.empty() && decimated.faults.empty();
  }
};

Result<Unit> check_backup(const Context& context, const std::string& directory, Checked& checked) {
  const auto manifest = journal::read_backup_manifest(directory);
  if (!manifest) {
    checked.findings.push_back(manifest.error().message);
    return Unit{};
  }
  if (!manifest.value()) return Unit{};
  checked.is_backup = true;
  Steps steps(context, "check", "bytes");
  const auto wrong = journal::check_backup_files(
      directory, *manifest.value(),
      [&](std::uint64_t done, std::uint64_t total) { return steps(done, total); });
  if (!wrong) return wrong.error();
  checked.findings = wrong.value();
  return Unit{};
}

/// What could not be read need not be told once more.
void add_new(journal::Damage damage, std::vector<journal::Damage>& known) {
  const bool told = std::any_of(known.begin(), known.end(), [&](const journal::Damage& each) {
    return each.lines.first <= damage.lines.last && each.lines.last >= damage.lines.first;
  });
  if (!told) known.push_back(std::move(damage));
}

Result<Checked> check_all(const Context& context, const std::string& directory) {
  Checked checked;
  const auto files = check_backup(context, directory, checked);
  if (!files) return files.error();
  auto salvaged = journal::open_rocks_journal_to_salvage(options_of(directory));
  if (!salvaged) {
    if (salvaged.error().code != Code::kCorruption) return salvaged.error();
    checked.findings.push_back(salvaged.error().message);
    return checked;
  }
  for (const auto& each : salvaged.value().findings) checked.findings.push_back(each.message);
  const auto& journal = salvaged.value().journal;
  checked.last = journal.store->last();
  checked.witnessed = journal.inspect().witnessed.has_value();
  const auto total = raw(checked.last);
  {
    Steps steps(context, "check", "lines");
    auto lines = journal::check_lines(*journal.store,
                                      [&](std::uint64_t done) { return steps(done, total); });
    if (!lines) return lines.error();
    checked.lines = std::move(lines).value();
  }
  {
    Steps steps(context, "check", "lines in closed segments");
    auto damage = journal::check_segments(*journal.projections, *journal.store->expired(),
                                          [&](std::uint64_t done) { return steps(done, total); });
    if (damage) {
      for (auto& each : damage.value()) add_new(std::move(each), checked.lines.damage);
    } else if (damage.error().code != Code::kCorruption) {
      return damage.error();
    } else {
      checked.findings.push_back(damage.error().message);
    }
  }
  auto decimated = journal::check_decimated(*journal.projections, *journal.store->expired());
  if (!decimated) return decimated.error();
  checked.decimated = std::move(decimated).value();
  if (!checked.lines.damage.empty()) return checked;  // They cannot be made again to compare.
  Steps steps(context, "check", "lines, and what is derived");
  auto derived = journal::check_projections(journal.store, journal.projections,
                                            [&](std::uint64_t done) { return steps(done, total); });
  if (!derived) return derived.error();
  checked.projections = std::move(derived).value();
  checked.projections_looked_at = true;
  return checked;
}

void print(const Context& context, const std::string& directory, const Checked& checked) {
  const auto& derived = checked.projections;
  if (context.json) {
    Json damage = Json::array();
    for (const auto& each : checked.lines.damage) damage.push_back(damage_json(each));
    Json document = {{"directory", directory},
                     {"sound", checked.sound()},
                     {"last_line", raw(checked.last)},
                     {"sound_lines", checked.lines.lines},
                     {"expired_lines", checked.lines.expired},
                     {"blocks", checked.lines.blocks},
                     {"witness", checked.witnessed},
                     {"backup", checked.is_backup},
                     {"findings", checked.findings},
                     {"decimated",
                      {{"rows", checked.decimated.rows},
                       {"updates", checked.decimated.samples},
                       {"faults", checked.decimated.faults}}},
                     {"damage", damage}};
    if (checked.projections_looked_at) {
      document["projections"] = {
          {"sound", derived.sound()},    {"through_line", raw(derived.through)},
          {"rows", derived.rows},        {"wrong", derived.wrong},
          {"missing", derived.missing},  {"surplus", derived.surplus},
          {"unusable", derived.unusable}};
    }
    return context.print(document);
  }
  auto& out = context.out;
  for (const auto& each : checked.findings) out << printable(each) << "\n";
  for (const auto& each : checked.lines.damage) out << printable(each.why) << "\n";
  out << checked.lines.lines << " of " << raw(checked.last) << " lines are sound, in "
      << checked.lines.blocks
      << " blocks, each with its checksums and the digest of the one before\n";
  if (checked.lines.expired > 0) {
    out << checked.lines.expired << " of them have expired: they are counted, and say nothing\n";
  }
  for (const auto& each : checked.decimated.faults) out << printable(each) << "\n";
  if (checked.decimated.rows > 0) {
    out << checked.decimated.samples << " of these are PV updates that are in "
        << checked.decimated.rows << " decimated rows\n";
  }
  if (!checked.witnessed) out << "there is no witness: an end that was cut off would not show\n";
  if (!checked.projections_looked_at) return;
  if (derived.sound()) {
    out << derived.rows << " derived rows are what the log says, up to line "
        << raw(derived.through) << "\n";
  } else if (!derived.unusable.empty()) {
    out << "what is derived is made anew by the next start: " << printable(derived.unusable)
        << "\n";
  } else {
    out << "of " << derived.rows << " derived rows " << derived.wrong << " are wrong, "
        << derived.missing << " missing, and " << derived.surplus
        << " nobody's: `tidemark journal rebuild` makes them anew\n";
  }
}

Exit check(Context& context, const std::string& named) {
  const auto directory = directory_of(context, named);
  if (!directory) return context.report(directory.error());
  const auto checked = check_all(context, directory.value());
  if (!checked) return context.report(checked.error());
  print(context, directory.value(), checked.value());
  const auto& found = checked.value();
  const bool derived =
      !found.projections_looked_at ||
      found.projections.wrong + found.projections.missing + found.projections.surplus == 0;
  return found.sound() && derived ? Exit::kFine : Exit::kFailed;
}

void add_check(Command group, Context& context) {
  auto directory = std::make_shared<std::string>();
  auto command = add_command(
      group, context, "check",
      {"Check every line of a journal, and all that is derived from it",
       "Reads all of it, also beside a running node, and changes nothing. Damaged lines are named, "
       "and the rest is read all the same. Of a backup its files are checked too. Exits with 1 "
       "when something is not what was written.",
       "  tidemark journal check\n  tidemark journal check /backup/2026-11-27T17-30-00Z --json"},
      [&context, directory] { return check(context, *directory); });
  add_directory(command, *directory);
}

// ---- repair -------------------------------------------------------------------------------------

Exit repair(Context& context, const std::string& named, std::string to) {
  const auto directory = directory_of(context, named);
  if (!directory) return context.report(directory.error());
  if (to.empty()) to = directory.value() + ".repaired";
  Result<journal::RepairReport> repaired = Error{Code::kFailed, ""};
  {
    Steps steps(context, "repair", "lines");
    const auto known = journal::open_rocks_journal_to_salvage(options_of(directory.value()));
    const auto total = known ? raw(known.value().journal.store->last()) : 0;
    repaired = journal::repair_journal(directory.value(), to, [&](std::uint64_t done) {
      return steps(done, std::max(done, total));
    });
  }
  if (!repaired) return context.report(repaired.error());
  const auto& report = repaired.value();
  if (context.json) {
    Json lost = Json::array();
    for (const auto& each : report.lost) lost.push_back(damage_json(each));
    Json findings = Json::array();
    for (const auto& each : report.findings) findings.push_back(each.message);
    context.print({{"directory", directory.value()},
                   {"repaired", to},
                   {"last_line", raw(report.last)},
                   {"kept_lines", report.kept},
                   {"lost", lost},
                   {"addresses", report.addresses},
                   {"findings", findings}});
    return Exit::kFine;
  }
  auto& out = context.out;
  for (const auto& each : report.findings) out << printable(each.message) << "\n";
  for (const auto& each : report.lost) {
    out << journal::to_text(each.lines) << " are lost: " << printable(each.why) << "\n";
  }
  if (report.addresses > 0) {
    out << report.addresses << " definitions of channels were lost, and are written again\n";
  }
  out << report.kept << " lines were kept in " << to << "; " << directory.value()
      << " is as it was\n";
  if (report.lost.empty()) out << "nothing is lost\n";
  return Exit::kFine;
}

void add_repair(Command group, Context& context) {
  auto directory = std::make_shared<std::string>();
  auto to = std::make_shared<std::string>();
  auto command = add_command(
      group, context, "repair",
      {"Save what is sound of a damaged journal into a new directory",
       "The damaged one is only read, and no node may run on it. Each line keeps its number; in "
       "the "
       "place of those that are lost stand lines that say so, the first with the bounds and the "
       "reason, so no number is used twice. Needs free space of twice the journal. Put the new "
       "directory in the place of the old one before the next start.",
       "  tidemark journal repair\n"
       "  tidemark journal repair data/journal/store --to /mnt/disk2/repaired"},
      [&context, directory, to] { return repair(context, *directory, *to); });
  add_directory(command, *directory);
  command.add_option("--to", *to, "The new directory (default: DIR.repaired)").type_name("DIR");
}

// ---- rebuild ------------------------------------------------------------------------------------

Exit rebuild(Context& context, const std::string& named) {
  const auto directory = directory_of(context, named);
  if (!directory) return context.report(directory.error());
  auto journal = journal::open_rocks_journal(options_of(directory.value()));
  if (!journal) return context.report(journal.error());
  const auto last = raw(journal.value().store->last());
  Result<Unit> rebuilt = Unit{};
  {
    Steps steps(context, "rebuild", "lines");
    rebuilt = journal::rebuild_projections(journal.value().store, journal.value().projections,
                                           [&](std::uint64_t done) { return steps(done, last); });
  }
  if (!rebuilt) return context.report(rebuilt.error());
  if (context.json) {
    context.print({{"directory", directory.value()}, {"last_line", last}});
  } else {
    context.out << "all that is derived from " << last << " lines was made anew\n";
  }
  return Exit::kFine;
}

void add_rebuild(Command group, Context& context) {
  auto directory = std::make_shared<std::string>();
  auto command = add_command(
      group, context, "rebuild",
      {"Throw away what is derived from the lines, and make it anew",
       "Histories, keyframes and marks come out as they were. No node may run on the journal. A "
       "rebuild that is stopped is finished by the node's next start.",
       "  tidemark journal rebuild\n  tidemark journal rebuild data/journal/store"},
      [&context, directory] { return rebuild(context, *directory); });
  add_directory(command, *directory);
}

}  // namespace

void add_journal_commands(Command app, Context& context) {
  auto group = add_group(
      app, "journal",
      {"Look after a journal on disk: sizes, checks, repair, backups",
       "These work on a directory, or on that of the site's journal on this host. stats, check and "
       "backup also beside a running node.",
       "  tidemark journal stats\n  tidemark journal check\n  tidemark journal backup /backup"});
  add_journal_stats(group, context);
  add_check(group, context);
  add_repair(group, context);
  add_rebuild(group, context);
  add_backup_commands(group, context);
}

}  // namespace tidemark::tools
