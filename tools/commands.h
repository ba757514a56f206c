// tools/commands.h
//
// The command groups. Each adds its commands, with help, to the parser; what was asked for ends
// up in Context::command and is run after the whole command line has been read.

#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tools/command_line.h"
#include "tools/context.h"

namespace tidemark::tools {

void add_site_commands(Command app, Context& context);         // up, solo, node
void add_keygen_command(Command app, Context& context);        // keygen
void add_status_commands(Command app, Context& context);       // status
void add_pv_commands(Command app, Context& context);           // pv import, list, get, put
void add_watch_command(Command pv, Context& context);          // pv watch
void add_rates_command(Command pv, Context& context);          // pv rates
void add_policy_commands(Command app, Context& context);       // policy …
void add_snapshot_commands(Command app, Context& context);     // snapshot …
void add_restore_command(Command snapshot, Context& context);  // snapshot restore
void add_log_commands(Command app, Context& context);          // log show, query, follow
void add_browse_command(Command app, Context& context);        // browse
void add_journal_commands(Command app, Context& context);      // journal check, repair, rebuild
void add_journal_stats(Command journal, Context& context);     // journal stats
void add_backup_commands(Command journal, Context& context);   // journal backup, restore-backup
void add_backup_command(Command app, Context& context);        // backup, restore-backup
void add_mark_commands(Command log, Context& context);         // log mark …
void add_log_write_command(Command log, Context& context);     // log write
void add_log_export_command(Command log, Context& context);    // log export
void add_log_import_command(Command log, Context& context);    // log import
void add_state_command(Command app, Context& context);         // state
void add_diff_command(Command app, Context& context);          // diff
void add_history_command(Command app, Context& context);       // history
void add_blame_command(Command app, Context& context);         // blame
void add_replay_commands(Command app, Context& context);       // replay …
void add_job_commands(Command app, Context& context);          // tag list, job …
void add_ls_command(Command app, Context& context);            // ls
void add_forget_command(Command app, Context& context);        // forget
void add_describe_command(Command app, Context& context);      // describe
void add_kv_commands(Command app, Context& context);           // kv list, get, set
void add_kv_watch_command(Command kv, Context& context);       // kv watch
void add_event_commands(Command app, Context& context);        // event list, call
void add_status_item_commands(Command app, Context& context);  // status-items …
void add_bus_commands(Command app, Context& context);          // bus tap

/// What --help says of a command: a line for lists, a paragraph, and what to type.
struct Help {
  std::string summary;
  std::string paragraph;
  std::string example;
};

/// A command that runs something. `run` is called after parsing.
Command add_command(Command parent, Context& context, const std::string& name, Help help,
                    std::function<Exit()> run);
/// An option that holds a duration, as parse_duration_argument() reads it.
Option add_duration(Command command, const std::string& name, Duration& into,
                    const std::string& help);
/// An option that may be given several times, one value each.
Option add_repeatable(Command command, const std::string& name, std::vector<std::string>& into,
                      const std::string& help);

/// --journal: the command reads a directory, without a running system or beside it.
Option add_journal(Command command, Context& context);

/// A command that only has commands.
Command add_group(Command parent, const std::string& name, Help help);

}  // namespace tidemark::tools
