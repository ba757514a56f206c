// tools/cmd_snapshot.cpp
//
// snapshot create, list, show, compare, delete. Restore has a file of its own.

#include <cstdio>
#include <ostream>

#include "model/api/keeper.h"
#include "model/api/node.h"
#include "tools/commands.h"
#include "tools/confirm.h"
#include "tools/documents.h"
#include "tools/jobs.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

constexpr auto kSnapshotBudget = 30s;  // of answers that carry 50 000 PVs

std::string count_text(std::uint32_t count) { return std::to_string(count); }

void print_header(const Context& context, const model::SnapshotHeader& header) {
  auto& out = context.out;
  out << "snapshot     " << header.id.text() << "\n"
      << "title        " << printable(header.title) << "\n";
  if (!header.description.empty()) {
    out << "description  " << printable(header.description) << "\n";
  }
  out << "moment       line " << header.line << ", " << time_text(header.created_at) << "\n"
      << "author       " << printable(header.author) << "\n"
      << "holds        " << header.pvs << " PVs, " << header.values << " values, " << header.missing
      << " missing, " << header.disconnected << " of disconnected PVs\n";
  if (!header.monitor_alive) {
    out << paint("warning      the monitor was away: these are the last values before",
                 Color::kYellow, context.color())
        << "\n";
  }
}

// ---- create -------------------------------------------------------------------------------------

Exit create(Context& context, Client& client, api::SnapshotRequest request) {
  request.user = context.user;
  request.idempotency = Uuid::random();
  auto accepted =
      client.ask<model::Job>("keeper", "keeper.snapshot_create", request, context.budget(10s));
  if (!accepted) return context.report(accepted.error());
  auto waited = wait_for_job(context, client, std::move(accepted).value());
  if (!waited) return context.report(waited.error());
  const auto& job = waited.value();
  if (job.state != model::JobState::kCompleted) {
    if (context.json) {
      context.print(job_json(job));
    } else {
      print_job(context, job);
    }
    return exit_of(job);
  }
  api::SnapshotGet get;
  get.snapshot = job.result.text();
  get.limit = 1;  // the header is what we want, and 0 is all
  const auto made =
      client.ask<model::Snapshot>("keeper", "keeper.snapshot_get", get, kSnapshotBudget);
  if (!made) return context.report(made.error());
  if (context.json) {
    context.print(header_json(made.value().header));
  } else {
    print_header(context, made.value().header);
  }
  return Exit::kFine;
}

// ---- list, show ---------------------------------------------------------------------------------

Exit list_snapshots(Context& context, Client& client, const api::SnapshotQuery& query) {
  const auto reply =
      client.ask<api::SnapshotList>("keeper", "keeper.snapshot_list", query, context.budget(10s));
  if (!reply) return context.report(reply.error());
  if (context.json) {
    auto documents = Json::array();
    for (const auto& header : reply.value().snapshots) documents.push_back(header_json(header));
    context.print(documents);
    return Exit::kFine;
  }
  Table table({{"ID", false, false},
               {"TITLE"},
               {"CREATED", false, false},
               {"LINE", true, false},
               {"PVS", true, false},
               {"VALUES", true, false},
               {"MISSING", true, false},
               {"AUTHOR"}});
  for (const auto& header : reply.value().snapshots) {
    table.add({short_id(header.id),
               header.title,
               time_text(header.created_at, 0),
               std::to_string(header.line),
               count_text(header.pvs),
               count_text(header.values),
               {count_text(header.missing), header.missing > 0 ? Color::kYellow : Color::kNone},
               header.author});
  }
  if (table.empty()) {
    context.err << "no snapshots\n";
  } else {
    table.print(context.out, context.columns, context.color());
  }
  return Exit::kFine;
}

Exit show_snapshot(Context& context, Client& client, const api::SnapshotGet& get) {
  const auto reply = client.ask<model::Snapshot>("keeper", "keeper.snapshot_get", get,
                                                 context.budget(kSnapshotBudget));
  if (!reply) return context.report(reply.error());
  const auto& snapshot = reply.value();
  if (context.json) {
    auto pvs = Json::array();
    for (const auto& pv : snapshot.pvs) pvs.push_back(captured_json(snapshot, pv));
    auto document = header_json(snapshot.header);
    document["values_of"] = std::move(pvs);
    context.print(document);
    return Exit::kFine;
  }
  print_header(context, snapshot.header);
  if (snapshot.pvs.empty()) return Exit::kFine;
  context.out << "\n";
  Table table({{"ADDRESS"},
               {"IS", false, false},
               {"VALUE", true},
               {"UNIT"},
               {"ALARM"},
               {"TIME", false, false},
               {"STATE"}});
  const auto add = [&](const char* role, std::uint32_t index) {
    if (index >= snapshot.values.size()) return;
    const auto& value = snapshot.values[index];
    table.add({value.address,
               role,
               {value_text(value.value, value.labels, value.precision), alarm_color(value.alarm)},
               value.units,
               {alarm_text(value.alarm), alarm_color(value.alarm)},
               time_text(value.taken_at),
               {state_text(value.state), state_color(value.state)}});
  };
  for (const auto& pv : snapshot.pvs) {
    add("setpoint", pv.setpoint);
    add("readback", pv.readback);
    add("config", pv.config);
  }
  table.print(context.out, context.columns, context.color());
  return Exit::kFine;
}

// ---- compare ------------------------------------------------------------------------------------

Color difference_color(model::Difference difference) {
  if (difference == model::Difference::kEqual) return Color::kNone;
  return model::matches(difference) ? Color::kGreen : Color::kRed;
}

std::string tolerance_text(const model::PvComparison& pv) {
  std::string text;
  if (pv.abs_tolerance != 0) text = model::to_text(pv.abs_tolerance);
  if (pv.rel_tolerance != 0) {
    text += (text.empty() ? "" : " or ") + model::to_text(pv.rel_tolerance * 100) + " %";
  }
  return text.empty() ? "-" : text;
}

/// How far off, not a value: six digits say it.
std::string deviation_text(double deviation) {
  if (deviation == 0) return "-";
  char text[64];
  std::snprintf(text, sizeof text, "%.6g", deviation);
  return text;
}

void print_comparison(const Context& context, const api::CompareReply& reply, bool all) {
  Table table({{"PV"},
               {"IS", false, false},
               {"LEFT", true},
               {"RIGHT", true},
               {"DEVIATION", true},
               {"TOLERANCE", true},
               {"UNIT"},
               {"DIFFERENCE", false, false}});
  const auto add = [&](const model::PvComparison& pv, const char* role,
                       const std::optional<model::ValueComparison>& side) {
    if (!side || (!all && model::matches(side->difference))) return;
    // All digits: two values that differ must look different.
    table.add({pv.name,
               role,
               value_text(side->left, pv.labels),
               value_text(side->right, pv.labels),
               deviation_text(side->deviation),
               tolerance_text(pv),
               pv.units,
               {model::to_string(side->difference), difference_color(side->difference)}});
  };
  for (const auto& pv : reply.pvs) {
    add(pv, "setpoint", pv.setpoint);
    add(pv, "readback", pv.readback);
  }
  auto& out = context.out;
  const auto name_of = [](const model::SnapshotHeader& header) {
    return printable(header.title) + " (" + short_id(header.id) + ", " +
           time_text(header.created_at, 0) + ")";
  };
  out << "left   " << name_of(reply.left) << "\n"
      << "right  " << (reply.right ? name_of(*reply.right) : std::string("live")) << "\n";
  if (!table.empty()) {
    out << "\n";
    table.print(out, context.columns, context.color());
    out << "\n";
  }
  const bool differs = reply.different > 0;
  out << paint(std::to_string(reply.different) + " different",
               differs ? Color::kRed : Color::kGreen, context.color())
      << ", " << reply.matching << " matching\n";
  if (reply.pvs.size() < reply.different) {
    out << "only " << reply.pvs.size() << " shown (--limit)\n";
  }
  if (!reply.right && !reply.live) {
    context.err << "tidemark: the monitor is away: \"live\" is the last known\n";
  }
}

Exit compare(Context& context, Client& client, const api::CompareRequest& request) {
  const auto reply = client.ask<api::CompareReply>("keeper", "keeper.snapshot_compare", request,
                                                   context.budget(kSnapshotBudget));
  if (!reply) return context.report(reply.error());
  const auto& found = reply.value();
  if (context.json) {
    auto pvs = Json::array();
    for (const auto& pv : found.pvs) pvs.push_back(comparison_json(pv));
    context.print({{"left", header_json(found.left)},
                   {"right", found.right ? header_json(*found.right) : Json("live")},
                   {"live", found.live},
                   {"different", found.different},
                   {"matching", found.matching},
                   {"pvs", std::move(pvs)}});
  } else {
    print_comparison(context, found, !request.only_different);
  }
  return found.different > 0 ? Exit::kFailed : Exit::kFine;
}

// ---- delete -------------------------------------------------------------------------------------

Exit remove(Context& context, Client& client, const std::string& snapshot, bool yes) {
  if (!yes && context.in_terminal && !confirmed(context, "Delete snapshot " + snapshot + "?")) {
    context.err << "not deleted\n";
    return Exit::kFailed;
  }
  const auto reply =
      client.ask<api::Empty>("keeper", "keeper.snapshot_delete",
                             api::SnapshotDelete{snapshot, context.user}, context.budget(10s));
  if (!reply) return context.report(reply.error());
  if (context.json) {
    context.print({{"deleted", snapshot}});
  } else {
    context.out << "deleted " << printable(snapshot) << "\n";
  }
  return Exit::kFine;
}

// ---- options ------------------------------------------------------------------------------------

constexpr auto kWhichSnapshot = "Id, the first part of one, or an exact title";

void add_create(Command snapshot, Context& context) {
  auto request = std::make_shared<api::SnapshotRequest>();
  auto command = add_command(
      snapshot, context, "create",
      {"Take a snapshot of the machine as it is now",
       "Keeps the value of every PV in scope, with alarm, time and connection state. Waits until "
       "it is durable, then prints its id, its line in the journal and what it holds.",
       "  tidemark snapshot create \"before the shift\"\n"
       "  tidemark snapshot create \"linac quads\" --tag area/linac --name 'QUAD:*'"},
      [&context, request] {
        return with_client(context,
                           [&](Client& client) { return create(context, client, *request); });
      });
  command.add_option("TITLE", request->title, "What to call it").required();
  command.add_option("--description", request->description, "What it is for").type_name("TEXT");
  add_repeatable(command, "--tag", request->scope.tags, "Only PVs with this group/tag")
      .type_name("G/T");
  add_repeatable(command, "--name", request->scope.names, "Only PVs of this glob")
      .type_name("GLOB");
}

void add_snapshot_list(Command snapshot, Context& context) {
  auto query = std::make_shared<api::SnapshotQuery>();
  auto command = add_command(snapshot, context, "list",
                             {"List snapshots, newest first",
                              "The id is cut to its first digits, which other commands accept.",
                              "  tidemark snapshot list --title shift --limit 10"},
                             [&context, query] {
                               return with_client(context, [&](Client& client) {
                                 return list_snapshots(context, client, *query);
                               });
                             });
  command.add_option("--title", query->title, "Part of the title, in any case").type_name("TEXT");
  command.add_option("--limit", query->limit, "At most so many (default: 1000)");
}

void add_snapshot_show(Command snapshot, Context& context) {
  auto get = std::make_shared<api::SnapshotGet>();
  auto command = add_command(
      snapshot, context, "show",
      {"Show what a snapshot holds",
       "The header, then each value with its alarm, its IOC time, and whether its PV "
       "was connected.",
       "  tidemark snapshot show 1f3a90c2 --name 'QUAD:*' --limit 20"},
      [&context, get] {
        return with_client(context,
                           [&](Client& client) { return show_snapshot(context, client, *get); });
      });
  command.add_option("ID", get->snapshot, kWhichSnapshot).required();
  add_repeatable(command, "--name", get->scope.names, "Only PVs of this glob").type_name("GLOB");
  command.add_option("--limit", get->limit, "At most so many PVs (default: all)");
}

void add_compare(Command snapshot, Context& context) {
  auto request = std::make_shared<api::CompareRequest>();
  request->right = "live";
  auto all = std::make_shared<bool>(false);
  auto command = add_command(
      snapshot, context, "compare",
      {"Compare a snapshot with another or with now",
       "LEFT is the reference: relative tolerances are of its values. Like diff, exits with 1 "
       "when something differs by more than its tolerance.",
       "  tidemark snapshot compare \"before the shift\"\n"
       "  tidemark snapshot compare 1f3a90c2 88d0e1b4 --all"},
      [&context, request, all] {
        request->only_different = !*all;
        return with_client(context,
                           [&](Client& client) { return compare(context, client, *request); });
      });
  command.add_option("LEFT", request->left, kWhichSnapshot).required();
  command.add_option("RIGHT", request->right, "Another, or live (default: live)");
  command.add_flag("--all", *all, "Also what is equal or within tolerance");
  add_repeatable(command, "--tag", request->scope.tags, "Only PVs with this group/tag")
      .type_name("G/T");
  add_repeatable(command, "--name", request->scope.names, "Only PVs of this glob")
      .type_name("GLOB");
  command.add_option("--limit", request->limit, "At most so many PVs (default: all)");
}

void add_delete(Command snapshot, Context& context) {
  auto name = std::make_shared<std::string>();
  auto yes = std::make_shared<bool>(false);
  auto command = add_command(
      snapshot, context, "delete",
      {"Delete a snapshot",
       "Its values are gone from the catalog; the lines of the journal stay. On a terminal it "
       "asks first.",
       "  tidemark snapshot delete 1f3a90c2"},
      [&context, name, yes] {
        return with_client(context,
                           [&](Client& client) { return remove(context, client, *name, *yes); });
      });
  command.add_option("ID", *name, kWhichSnapshot).required();
  command.add_flag("--yes", *yes, "Do not ask");
}

}  // namespace

void add_snapshot_commands(Command app, Context& context) {
  auto snapshot =
      add_group(app, "snapshot",
                {"Take, show, compare, restore and delete snapshots",
                 "A snapshot is a named moment of the machine, with its values kept for good.",
                 "  tidemark snapshot create \"before the shift\"\n"
                 "  tidemark snapshot restore \"before the shift\" --dry-run"});
  add_create(snapshot, context);
  add_snapshot_list(snapshot, context);
  add_snapshot_show(snapshot, context);
  add_compare(snapshot, context);
  add_restore_command(snapshot, context);
  add_delete(snapshot, context);
}

}  // namespace tidemark::tools
