// tools/cmd_pv.cpp
//
// pv import, list, get, put: the PVs that the site knows, and their values now.

#include <fstream>
#include <iterator>
#include <map>
#include <ostream>
#include <set>

#include "base/glob.h"
#include "model/api/keeper.h"
#include "model/api/monitor.h"
#include "model/pv_update.h"
#include "tools/commands.h"
#include "tools/documents.h"
#include "tools/jobs.h"
#include "tools/pv_hint.h"
#include "tools/replays.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

// ---- import -------------------------------------------------------------------------------------

constexpr std::size_t kCsvBytesMax = 16u << 20;  // what a packed string may hold

struct PvImportOptions {
  std::string file;
  bool skip_bad = false;
  bool dry_run = false;
};

Result<std::string> read_file(const Context& context, const std::string& file) {
  std::ifstream stream;
  if (file != "-") {
    stream.open(file, std::ios::binary);
    if (!stream) return Error{Code::kInvalidArgument, "cannot read '" + file + "'"};
  }
  std::istream& in = file == "-" ? context.in : stream;
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return Error{Code::kInvalidArgument, "cannot read '" + file + "'"};
  if (text.size() > kCsvBytesMax) {
    return Error{Code::kInvalidArgument, "'" + file + "' is larger than 16 MiB: split it"};
  }
  return text;
}

Json import_json(const api::ImportReport& report) {
  auto problems = Json::array();
  for (const auto& problem : report.problems) {
    problems.push_back({{"line", problem.line}, {"message", problem.message}});
  }
  return {{"imported", report.imported},
          {"rows", report.rows},
          {"created", report.created},
          {"updated", report.updated},
          {"unchanged", report.unchanged},
          {"tags_created", report.tags_created},
          {"problem_count", report.problem_count},
          {"problems", std::move(problems)}};
}

void print_import(const Context& context, const PvImportOptions& options,
                  const api::ImportReport& report) {
  for (const auto& problem : report.problems) {
    context.err << options.file << ":" << problem.line << ": " << printable(problem.message)
                << "\n";
  }
  if (report.problem_count > report.problems.size()) {
    context.err << "… and " << report.problem_count - report.problems.size() << " more\n";
  }
  auto& out = context.out;
  if (!report.imported) out << (options.dry_run ? "dry run: " : "nothing imported: ");
  out << report.rows << " rows: " << report.created << " created, " << report.updated
      << " updated, " << report.unchanged << " unchanged, " << report.problem_count << " bad; "
      << report.tags_created << " tags created\n";
}

Exit import(Context& context, Client& client, const PvImportOptions& options) {
  auto csv = read_file(context, options.file);
  if (!csv) return context.report(csv.error());
  const auto report = client.ask<api::ImportReport>(
      "keeper", "keeper.pv_import",
      api::ImportRequest{std::move(csv).value(), options.skip_bad, options.dry_run, context.user},
      context.budget(60s));
  if (!report) return context.report(report.error());
  if (context.json) {
    context.print(import_json(report.value()));
  } else {
    print_import(context, options, report.value());
  }
  const bool bad = report.value().problem_count > 0 && !options.skip_bad;
  return bad ? Exit::kUsage : Exit::kFine;
}

// ---- list ---------------------------------------------------------------------------------------

struct PvListOptions {
  std::string text;
  std::vector<std::string> tags;
  std::vector<std::string> names;
  std::uint32_t limit = 0;  // 0: all
};

std::string tolerance_text(const model::PvEntry& pv) {
  std::string text;
  if (pv.abs_tolerance != 0) text = model::to_text(pv.abs_tolerance);
  if (pv.rel_tolerance != 0) {
    text += (text.empty() ? "" : " or ") + model::to_text(pv.rel_tolerance * 100) + " %";
  }
  return text;
}

Exit list_pvs(Context& context, Client& client, const PvListOptions& options) {
  constexpr std::uint32_t kPage = 1000;
  api::PvQuery query;
  query.text = options.text;
  query.scope.names = options.names;
  query.scope.tags = options.tags;
  Table table({{"SETPOINT"},
               {"READBACK"},
               {"CONFIG"},
               {"DEVICE"},
               {"TAGS"},
               {"TOLERANCE"},
               {"DESCRIPTION"}});
  auto documents = Json::array();
  std::uint32_t shown = 0;
  std::uint32_t total = 0;
  do {
    query.limit = options.limit == 0 ? kPage : std::min(kPage, options.limit - shown);
    const auto page =
        client.ask<api::PvPage>("keeper", "keeper.pv_list", query, context.budget(10s));
    if (!page) return context.report(page.error());
    for (const auto& pv : page.value().pvs) {
      if (context.json) {
        documents.push_back(pv_json(pv, page.value().tag_groups));
      } else {
        table.add({pv.setpoint, pv.readback, pv.config, pv.device,
                   joined(tag_names(pv.tags, page.value().tag_groups), " "), tolerance_text(pv),
                   pv.description});
      }
      ++shown;
    }
    total = page.value().total;
    query.after = page.value().next;
    if (page.value().pvs.empty()) break;
  } while (!query.after.empty() && (options.limit == 0 || shown < options.limit));
  if (context.json) {
    context.print({{"total", total}, {"pvs", std::move(documents)}});
  } else {
    if (!table.empty()) table.print(context.out, context.columns, context.color());
    context.err << shown << " of " << total << " PVs\n";
  }
  return Exit::kFine;
}

// ---- get ----------------------------------------------------------------------------------------

/// What was asked for and is not there.
std::vector<std::string> absent(const std::vector<std::string>& names,
                                const api::LiveReply& reply) {
  auto out = reply.unknown;
  for (const auto& name : names) {
    if (!is_glob(name)) continue;
    const bool found =
        std::any_of(reply.values.begin(), reply.values.end(),
                    [&](const auto& value) { return glob_match(name, value.address); });
    if (!found) out.push_back(name);
  }
  return out;
}

/// A name and a glob may mean the same PV.
void drop_repeated(std::vector<api::LiveValue>& values) {
  std::set<model::ChannelId> seen;
  std::erase_if(values, [&](const auto& value) { return !seen.insert(value.channel).second; });
}

/// Puts what the IOCs say now into `values`. Answers what could not be read, by address.
Result<std::map<std::string, std::string>> read_fresh(Context& context, Client& client,
                                                      std::vector<api::LiveValue>& values) {
  api::ReadChannels request;
  request.timeout = context.budget(2s);
  for (const auto& value : values) request.channels.push_back(value.channel);
  const auto reply =
      client.ask<api::ChannelValues>("monitor", "monitor.read", request, request.timeout + 2s);
  if (!reply) return reply.error();
  const auto updates = model::decode_updates(reply.value().updates.bytes);
  if (!updates) return updates.error();
  std::map<model::ChannelId, const model::PvUpdate*> by_channel;
  for (const auto& update : updates.value()) {
    if (update.event == model::PvUpdate::Event::kValue) by_channel[update.channel] = &update;
  }
  std::map<std::string, std::string> errors;
  const auto& said = reply.value().errors;
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto& value = values[i];
    const auto found = by_channel.find(value.channel);
    if (found == by_channel.end() || (i < said.size() && !said[i].empty())) {
      errors[value.address] = i < said.size() && !said[i].empty() ? said[i] : "no answer";
      continue;
    }
    value.value = found->second->value;
    value.alarm = found->second->alarm;
    value.taken_at = found->second->taken_at;
    value.received_at = context.now();
    value.state = model::LiveState::kConnected;
  }
  return errors;
}

void print_values(const Context& context, const std::vector<api::LiveValue>& values) {
  if (values.empty()) return;
  Table table({{"PV"}, {"VALUE", true}, {"UNIT"}, {"ALARM"}, {"TIME", false, false}, {"STATE"}});
  for (const auto& value : values) {
    table.add({value.address,
               {value_text(value.value, value.labels, value.precision), alarm_color(value.alarm)},
               value.units,
               {alarm_text(value.alarm), alarm_color(value.alarm)},
               time_text(value.taken_at),
               {state_text(value.state), state_color(value.state)}});
  }
  table.print(context.out, context.columns, context.color());
}

Exit get_pvs(Context& context, Client& client, const std::vector<std::string>& names, bool fresh) {
  auto asked = client.ask<api::LiveReply>("keeper", "keeper.pv_live", api::LiveQuery{names},
                                          context.budget(5s));
  if (!asked) return context.report(asked.error());
  auto reply = std::move(asked).value();
  drop_repeated(reply.values);
  std::map<std::string, std::string> errors;
  if (fresh && !reply.values.empty()) {
    auto failed = read_fresh(context, client, reply.values);
    if (!failed) return context.report(failed.error());
    errors = std::move(failed).value();
  }
  const auto missing = absent(names, reply);
  if (context.json) {
    auto values = Json::array();
    for (const auto& value : reply.values) {
      values.push_back(live_json(value));
      const auto error = errors.find(value.address);
      if (error != errors.end()) values.back()["error"] = error->second;
    }
    context.print({{"live", reply.live}, {"values", std::move(values)}, {"unknown", missing}});
  } else {
    print_values(context, reply.values);
    if (!reply.live && !fresh) {
      context.err << "tidemark: the monitor is away: these are the last known values\n";
    }
  }
  for (const auto& [address, error] : errors) {
    context.err << "tidemark: " << address << ": " << printable(error) << "\n";
  }
  for (const auto& name : missing) {
    context.err << "tidemark: no PV " << (is_glob(name) ? "matches '" : "has the address '")
                << printable(name) << "'" << pv_hint(client, name) << "\n";
  }
  return missing.empty() && errors.empty() ? Exit::kFine : Exit::kFailed;
}

/// What a replay has them at: the state of the line where it is.
Exit get_replayed(Context& context, Client& client, const std::vector<std::string>& names,
                  const std::string& id) {
  const auto replay = find_replay(context, client, id);
  if (!replay) return context.report(replay.error());
  const auto values = replayed_values(context, client, replay.value(), names);
  if (!values) return context.report(values.error());
  const auto& [found, complete] = values.value();
  if (context.json) {
    auto out = Json::array();
    for (const auto& value : found) out.push_back(live_json(value));
    context.print({{"replay", replay_json(replay.value())}, {"values", std::move(out)}});
  } else {
    context.out << paint(replay_text(replay.value()), Color::kBold, context.color()) << "\n";
    print_values(context, found);
  }
  return complete ? Exit::kFine : Exit::kFailed;
}

// ---- put ----------------------------------------------------------------------------------------

Exit put(Context& context, Client& client, api::PutRequest request) {
  request.timeout = context.budget(5s);
  request.user = context.user;
  auto accepted = client.ask<model::Job>("keeper", "keeper.pv_put", request, request.timeout + 5s);
  if (!accepted) return context.report(accepted.error());
  auto job = wait_for_job(context, client, std::move(accepted).value());
  if (!job) return context.report(job.error());
  if (context.json) {
    context.print(job_json(job.value()));
  } else {
    print_job(context, job.value());
  }
  return exit_of(job.value());
}

// ---- options ------------------------------------------------------------------------------------

void add_import(Command pv, Context& context) {
  auto options = std::make_shared<PvImportOptions>();
  auto command = add_command(
      pv, context, "import",
      {"Define PVs from a CSV file",
       "One bad row stops the whole file, and nothing changes; the problems are printed as "
       "FILE:LINE: message and the exit code is 2. Rows that are there already are updated.",
       "  tidemark pv import machine.csv --dry-run\n"
       "  tidemark pv import machine.csv --skip-bad"},
      [&context, options] {
        return with_client(context,
                           [&](Client& client) { return import(context, client, *options); });
      });
  command.add_option("FILE", options->file, "CSV file; - for standard input").required();
  command.add_flag("--skip-bad", options->skip_bad, "Import the good rows, report the others");
  command.add_flag("--dry-run", options->dry_run, "Only check, change nothing");
}

void add_pv_list(Command pv, Context& context) {
  auto options = std::make_shared<PvListOptions>();
  auto command = add_command(
      pv, context, "list",
      {"List the PVs that are defined",
       "TEXT is looked for in addresses, device and description, in any case. Several --tag of "
       "one group mean any of them; of different groups, all of them.",
       "  tidemark pv list quad\n"
       "  tidemark pv list --tag area/linac --tag kind/magnet --name 'QUAD:*'"},
      [&context, options] {
        return with_client(context,
                           [&](Client& client) { return list_pvs(context, client, *options); });
      });
  command.add_option("TEXT", options->text, "Part of an address, device or description");
  add_repeatable(command, "--tag", options->tags, "group/tag").type_name("G/T");
  add_repeatable(command, "--name", options->names, "Glob on the addresses").type_name("GLOB");
  command.add_option("--limit", options->limit, "At most so many (default: all)");
}

void add_pv_get(Command pv, Context& context) {
  auto names = std::make_shared<std::vector<std::string>>();
  auto fresh = std::make_shared<bool>(false);
  auto replay = std::make_shared<std::string>();
  auto command = add_command(
      pv, context, "get",
      {"Show values, units, alarms and times",
       "Values come from the live table; with --fresh they are read from the IOCs now. A name "
       "may be a glob. With --replay they are those of the past, where a replay is. Exits with 1 "
       "when a name is unknown or a fresh read failed.",
       "  tidemark pv get QUAD:LI21:201:BCTRL\n"
       "  tidemark pv get 'QUAD:*:BACT' --fresh --json"},
      [&context, names, fresh, replay] {
        return with_client(context, [&](Client& client) {
          return replay->empty() ? get_pvs(context, client, *names, *fresh)
                                 : get_replayed(context, client, *names, *replay);
        });
      });
  command.add_option("NAME", *names, "Addresses or globs").required();
  auto now = command.add_flag("--fresh", *fresh, "Read the IOCs now");
  add_replay_option(command, *replay).excludes(now);
}

void add_put(Command pv, Context& context) {
  auto request = std::make_shared<api::PutRequest>();
  auto command = add_command(
      pv, context, "put",
      {"Write one PV",
       "The journal knows of it before the IOC does, with who asked and why. VALUE is a number, "
       "the label of an enum, a string, or an array like [1, 2, 3].",
       "  tidemark pv put QUAD:LI21:201:BCTRL 4.25 --comment 'beam too wide'\n"
       "  tidemark pv put VALVE:1:CMD Open"},
      [&context, request] {
        return with_client(context, [&](Client& client) { return put(context, client, *request); });
      });
  command.add_option("NAME", request->address, "Address").required();
  command.add_option("VALUE", request->value, "What to write").required();
  command.add_option("--comment", request->comment, "Why; it is kept in the journal")
      .type_name("TEXT");
}

}  // namespace

void add_pv_commands(Command app, Context& context) {
  auto pv = add_group(app, "pv",
                      {"Define, list, read, watch and write PVs",
                       "A PV is one property of a device: a setpoint, a readback and a "
                       "configuration address, of which at least one is there.",
                       "  tidemark pv import machine.csv\n  tidemark pv get 'QUAD:*'"});
  add_import(pv, context);
  add_pv_list(pv, context);
  add_pv_get(pv, context);
  add_watch_command(pv, context);
  add_put(pv, context);
  add_rates_command(pv, context);
}

}  // namespace tidemark::tools
