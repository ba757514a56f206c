// tools/cmd_journal_backup.cpp
//
// journal backup, restore-backup.

#include <filesystem>
#include <memory>
#include <ostream>

#include "journal/rocks_backup.h"
#include "model/api/backup.h"
#include "tools/commands.h"
#include "tools/journal_directory.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;

constexpr auto kJournalBackupBudget = std::chrono::hours(24);

/// By the node that has the journal.
Result<api::BackupReply> backup_by_node(Context& context, const std::string& to) {
  auto client = context.connect(context);
  if (!client) {
    return Error{client.error().code,
                 client.error().message + " Without it: tidemark journal backup --journal DIR"};
  }
  Steps steps(context, "backup", "bytes");
  return client.value()->ask<api::BackupReply>(
      "journal", "journal.backup", api::BackupRequest{to}, context.budget(kJournalBackupBudget),
      [&](const Bytes& packed) {
        const auto progress = model::unpack<api::BackupProgress>(packed);
        if (progress) steps(progress.value().done, progress.value().total);
      });
}

/// Of a journal that no node has.
Result<api::BackupReply> backup_here(Context& context, const std::string& to) {
  journal::RocksStoreOptions options;
  options.directory = context.journal;
  if (!std::filesystem::exists(options.directory + "/db")) {
    return Error{Code::kNotFound, "there is no journal in " + options.directory};
  }
  const auto opened = journal::open_rocks_journal(options);
  if (!opened) return opened.error();
  Steps steps(context, "backup", "bytes");
  const auto report = journal::write_backup(
      opened.value(), options.directory, to, context.now(),
      [&](std::uint64_t done, std::uint64_t total) { return steps(done, total); });
  if (!report) return report.error();
  return api::BackupReply{report.value().directory, journal::raw(report.value().manifest.last),
                          report.value().copied_bytes, report.value().linked_bytes};
}

Exit backup(Context& context, const std::string& named) {
  std::error_code failure;
  const auto to = std::filesystem::absolute(named, failure).lexically_normal().string();
  const auto done =
      context.journal.empty() ? backup_by_node(context, to) : backup_here(context, to);
  if (!done) return context.report(done.error());
  const auto& reply = done.value();
  if (context.json) {
    context.print({{"directory", reply.directory},
                   {"last_line", reply.last_line},
                   {"copied_bytes", reply.copied_bytes},
                   {"linked_bytes", reply.linked_bytes}});
  } else {
    context.out << reply.directory << ": every line up to " << reply.last_line << ", "
                << bytes_text(reply.copied_bytes) << " copied, " << bytes_text(reply.linked_bytes)
                << " as in the backup before\n";
  }
  return Exit::kFine;
}

Exit restore(Context& context, const std::string& from, const std::string& to) {
  Result<journal::BackupManifest> restored = Error{Code::kFailed, ""};
  {
    Steps steps(context, "restore", "bytes");
    restored = journal::restore_backup(
        from, to, [&](std::uint64_t done, std::uint64_t total) { return steps(done, total); });
  }
  if (!restored) return context.report(restored.error());
  const auto& manifest = restored.value();
  if (context.json) {
    context.print({{"backup", from},
                   {"directory", to},
                   {"made_at", to_iso(manifest.made_at, 9)},
                   {"last_line", journal::raw(manifest.last)},
                   {"bytes", manifest.bytes()}});
  } else {
    context.out << to << " is the journal of " << to_iso(manifest.made_at, 0)
                << ", with every line up to " << journal::raw(manifest.last) << "\n";
  }
  return Exit::kFine;
}

}  // namespace

void add_backup_commands(Command journal, Context& context) {
  auto to = std::make_shared<std::string>();
  auto command = add_command(
      journal, context, "backup",
      {"Back up a journal, also while it runs",
       "Writes a directory of its own into DEST, which is on the journal's host: a whole journal, "
       "with a list of its files and their checksums. What the newest backup in DEST has already "
       "is "
       "linked to it, so a backup costs what is new; removing one is removing its directory.",
       "  tidemark journal backup /backup/journal\n"
       "  tidemark journal backup /backup/journal --journal data/journal/store"},
      [&context, to] { return backup(context, *to); });
  command.add_option("DEST", *to, "Where backups are kept").required();
  command
      .add_option("--journal", context.journal,
                  "The directory of a journal that no node has, instead of the running one")
      .type_name("DIR");

  auto source = std::make_shared<std::string>();
  auto target = std::make_shared<std::string>();
  auto restoring = add_command(
      journal, context, "restore-backup",
      {"Make a journal's directory from a backup",
       "Each file is compared with its checksum while it is copied, and the journal must end with "
       "the backup's last line. DIR must not be there, or be empty: put it in the place of the "
       "site's journal while no node runs.",
       "  tidemark journal restore-backup /backup/journal/2026-11-27T17-30-00Z data/journal/store"},
      [&context, source, target] { return restore(context, *source, *target); });
  restoring.add_option("BACKUP", *source, "The directory of one backup").required();
  restoring.add_option("DIR", *target, "The new directory").required();
}

}  // namespace tidemark::tools
