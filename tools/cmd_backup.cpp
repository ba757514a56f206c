// tools/cmd_backup.cpp
//
// backup, restore-backup: the journal and the catalog together.
//
//   DEST/catalog/NAME     one file (catalog/backup.h)
//   DEST/journal/NAME/    a journal's directory, for all commands that read one
//
// The catalog first, then the journal, which so knows all that the catalog knows: a start on both
// is a start after a power cut. A backup is whole when both parts are there.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <ostream>

#include "catalog/backup.h"
#include "catalog/rocks_store.h"
#include "journal/rocks_backup.h"
#include "model/api/backup.h"
#include "tools/commands.h"
#include "tools/journal_directory.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
namespace fs = std::filesystem;

constexpr auto kBackupBudget = std::chrono::hours(24);
constexpr const char* kJournalFolder = "/journal/";
constexpr const char* kCatalogFolder = "/catalog/";

std::string absolute(const std::string& path) {
  std::error_code failure;
  return fs::absolute(path, failure).lexically_normal().string();
}

// ---- backup -------------------------------------------------------------------------------------

Exit backup(Context& context, Client& client, const std::string& named) {
  const auto to = absolute(named);
  const auto name = journal::backup_name(context.now());
  const auto catalog = client.ask<api::BackupReply>("keeper", "keeper.backup",
                                                    api::BackupRequest{to + "/catalog", name},
                                                    context.budget(kBackupBudget));
  if (!catalog) return context.report(catalog.error());
  Result<api::BackupReply> journal = Error{Code::kFailed, ""};
  {
    Steps steps(context, "backup", "bytes");
    journal = client.ask<api::BackupReply>(
        "journal", "journal.backup", api::BackupRequest{to + "/journal", name},
        context.budget(kBackupBudget), [&](const Bytes& packed) {
          const auto progress = model::unpack<api::BackupProgress>(packed);
          if (progress) steps(progress.value().done, progress.value().total);
        });
  }
  if (!journal) return context.report(journal.error());
  const auto& lines = journal.value();
  const auto& pvs = catalog.value();
  if (context.json) {
    context.print({{"name", name},
                   {"journal", lines.directory},
                   {"catalog", pvs.directory},
                   {"last_line", lines.last_line},
                   {"copied_bytes", lines.copied_bytes + pvs.copied_bytes},
                   {"linked_bytes", lines.linked_bytes}});
  } else {
    context.out << name << ": every line up to " << lines.last_line << ", and the catalog; "
                << bytes_text(lines.copied_bytes + pvs.copied_bytes) << " copied, "
                << bytes_text(lines.linked_bytes) << " as in the backup before\n";
  }
  return Exit::kFine;
}

// ---- restore-backup -----------------------------------------------------------------------------

struct RestoreOptions {
  std::string from;
  std::string name;  // empty: the newest
  std::string to;    // empty: the site's
};

/// The newest that has both parts.
Result<std::string> newest_in(const std::string& from) {
  std::string newest;
  std::error_code ignored;
  for (fs::directory_iterator at(from + kCatalogFolder, ignored), end; at != end;
       at.increment(ignored)) {
    const auto name = at->path().filename().string();
    const bool whole =
        name.find(".partial") == std::string::npos &&
        fs::exists(from + kJournalFolder + name + "/" + journal::kBackupManifest, ignored);
    if (whole) newest = std::max(newest, name);
  }
  if (!newest.empty()) return newest;
  return Error{Code::kNotFound, "there is no backup of a journal and a catalog in " + from};
}

Result<std::string> data_of(const Context& context, const std::string& named) {
  if (!named.empty()) return named;
  const auto site = load_site(context);
  if (!site) return Error{site.error().code, site.error().message + "; or name a directory: --to"};
  return site.value().data_directory;
}

Result<catalog::BackupSize> restore_catalog(const std::string& from, const std::string& to) {
  std::error_code failure;
  if (fs::exists(to, failure) && !fs::is_empty(to, failure)) {
    return Error{Code::kConflict, to + " is not empty"};
  }
  auto store = catalog::open_rocks_store(to);
  if (!store) return store.error();
  auto restored = catalog::restore_backup(from, *store.value());
  store.value().reset();
  if (!restored) fs::remove_all(to, failure);  // so that it can be tried again
  return restored;
}

Exit restore(Context& context, const RestoreOptions& options) {
  const auto from = absolute(options.from);
  const auto name = options.name.empty() ? newest_in(from) : Result<std::string>(options.name);
  if (!name) return context.report(name.error());
  const auto data = data_of(context, options.to);
  if (!data) return context.report(data.error());
  const auto catalog_in = data.value() + "/keeper/store";
  const auto catalog = restore_catalog(from + kCatalogFolder + name.value(), catalog_in);
  if (!catalog) return context.report(catalog.error());
  const auto journal_in = data.value() + "/journal/store";
  Result<journal::BackupManifest> journal = Error{Code::kFailed, ""};
  {
    Steps steps(context, "restore", "bytes");
    journal = journal::restore_backup(
        from + kJournalFolder + name.value(), journal_in,
        [&](std::uint64_t done, std::uint64_t total) { return steps(done, total); });
  }
  if (!journal) {
    context.err << "tidemark: " << catalog_in << " is restored, the journal is not\n";
    return context.report(journal.error());
  }
  if (context.json) {
    context.print({{"name", name.value()},
                   {"journal", journal_in},
                   {"catalog", catalog_in},
                   {"made_at", to_iso(journal.value().made_at, 9)},
                   {"last_line", journal::raw(journal.value().last)},
                   {"catalog_entries", catalog.value().entries}});
  } else {
    context.out << data.value() << " is that of " << name.value() << ": every line up to "
                << journal::raw(journal.value().last) << ", and a catalog of "
                << catalog.value().entries << " entries\n";
  }
  return Exit::kFine;
}

}  // namespace

void add_backup_command(Command app, Context& context) {
  auto to = std::make_shared<std::string>();
  auto command = add_command(
      app, context, "backup",
      {"Back up the journal and the catalog of a running site",
       "Writes DEST/catalog/NAME and DEST/journal/NAME on the host of these nodes; the name is the "
       "time. What the newest backup of the journal has already is linked to it. With a journal "
       "alone, or no node: tidemark journal backup.",
       "  tidemark backup /backup/machine"},
      [&context, to] {
        return with_client(context, [&](Client& client) { return backup(context, client, *to); });
      });
  command.add_option("DEST", *to, "Where backups are kept").required();

  auto options = std::make_shared<RestoreOptions>();
  auto restoring = add_command(
      app, context, "restore-backup",
      {"Make a site's journal and catalog from a backup",
       "Everything is compared with its checksums. What it makes must not be there, or be empty: "
       "move `journal/store` and `keeper/store` away, while no node runs.",
       "  tidemark restore-backup /backup/machine\n"
       "  tidemark restore-backup /backup/machine --name 2026-11-27T17-30-00.000Z --to /tmp/drill"},
      [&context, options] { return restore(context, *options); });
  restoring.add_option("DEST", options->from, "Where backups are kept").required();
  restoring.add_option("--name", options->name, "Which (default: the newest that is whole)");
  restoring.add_option("--to", options->to, "The data directory (default: the site's)")
      .type_name("DIR");
}

}  // namespace tidemark::tools
