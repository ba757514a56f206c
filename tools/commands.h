// tools/commands.h
//
// The command groups. Each adds its commands, with help, to the parser; what was asked for ends
// up in Context::command and is run after the whole command line has been read.

#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tools/context.h"

namespace tidemark::tools {

void add_site_commands(CLI::App& app, Context& context);         // up, solo, node
void add_keygen_command(CLI::App& app, Context& context);        // keygen
void add_status_commands(CLI::App& app, Context& context);       // status
void add_pv_commands(CLI::App& app, Context& context);           // pv import, list, get, put
void add_watch_command(CLI::App& pv, Context& context);          // pv watch
void add_rates_command(CLI::App& pv, Context& context);          // pv rates
void add_policy_commands(CLI::App& app, Context& context);       // policy …
void add_snapshot_commands(CLI::App& app, Context& context);     // snapshot …
void add_restore_command(CLI::App& snapshot, Context& context);  // snapshot restore
void add_log_commands(CLI::App& app, Context& context);          // log show, query, follow
void add_browse_command(CLI::App& app, Context& context);        // browse
void add_journal_commands(CLI::App& app, Context& context);      // journal check, repair, rebuild
void add_journal_stats(CLI::App& journal, Context& context);     // journal stats
void add_backup_commands(CLI::App& journal, Context& context);   // journal backup, restore-backup
void add_mark_commands(CLI::App& log, Context& context);         // log mark …
void add_log_write_command(CLI::App& log, Context& context);     // log write
void add_log_export_command(CLI::App& log, Context& context);    // log export
void add_log_import_command(CLI::App& log, Context& context);    // log import
void add_state_command(CLI::App& app, Context& context);         // state
void add_diff_command(CLI::App& app, Context& context);          // diff
void add_history_command(CLI::App& app, Context& context);       // history
void add_blame_command(CLI::App& app, Context& context);         // blame
void add_replay_commands(CLI::App& app, Context& context);       // replay …
void add_job_commands(CLI::App& app, Context& context);          // tag list, job …
void add_ls_command(CLI::App& app, Context& context);            // ls
void add_describe_command(CLI::App& app, Context& context);      // describe
void add_kv_commands(CLI::App& app, Context& context);           // kv list, get, set
void add_kv_watch_command(CLI::App& kv, Context& context);       // kv watch
void add_event_commands(CLI::App& app, Context& context);        // event list, call
void add_status_item_commands(CLI::App& app, Context& context);  // status-items …
void add_bus_commands(CLI::App& app, Context& context);          // bus tap

/// What --help says of a command: a line for lists, a paragraph, and what to type.
struct Help {
  std::string summary;
  std::string paragraph;
  std::string example;
};

/// A command that runs something. `run` is called after parsing.
CLI::App* add_command(CLI::App& parent, Context& context, const std::string& name, Help help,
                      std::function<Exit()> run);
/// An option that holds a duration, as parse_duration_argument() reads it.
CLI::Option* add_duration(CLI::App& command, const std::string& name, Duration& into,
                          const std::string& help);
/// An option that may be given several times, one value each.
CLI::Option* add_repeatable(CLI::App& command, const std::string& name,
                            std::vector<std::string>& into, const std::string& help);

/// --journal: the command reads a directory, without a running system or beside it.
CLI::Option* add_journal(CLI::App& command, Context& context);

/// A command that only has commands.
CLI::App* add_group(CLI::App& parent, const std::string& name, Help help);

}  // namespace tidemark::tools
