// tools/cmd_restore.cpp
//
// snapshot restore: plan, show, ask, carry out exactly that plan, say what became of it.
//
//   restore_plan ──► summary ──► y/N ──► restore {plan hash} ──► job ──► outcome
//
// Nothing is written without --yes or a "y" on a terminal, and nothing but what was shown: the
// keeper refuses when the plan is another one by then.

#include <ostream>

#include "model/api/keeper.h"
#include "tools/commands.h"
#include "tools/confirm.h"
#include "tools/documents.h"
#include "tools/jobs.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

constexpr auto kPlanBudget = 30s;           // of 50 000 steps
constexpr std::size_t kStepsShownMax = 20;  // of each kind, before a restore; a dry run shows all

struct RestoreArguments {
  api::RestoreRequest request;
  bool dry_run = false;
  bool yes = false;
};

void add_steps(Table& table, const model::RestorePlan& plan, model::StepAction action,
               std::size_t limit) {
  std::size_t shown = 0;
  for (const auto& step : plan.steps) {
    if (step.action != action) continue;
    if (shown++ == limit) return;
    const bool refused = action == model::StepAction::kRefuse;
    table.add({{model::to_string(action), refused ? Color::kRed : Color::kNone},
               step.address,
               value_text(step.live),
               value_text(step.target),
               step.units,
               step.reason});
  }
}

/// What would be refused first: that is what the operator must know.
void print_plan(const Context& context, std::ostream& out, const model::RestorePlan& plan,
                std::size_t limit) {
  Table table(
      {{"ACTION", false, false}, {"PV"}, {"NOW", true}, {"TARGET", true}, {"UNIT"}, {"REASON"}});
  add_steps(table, plan, model::StepAction::kRefuse, limit);
  add_steps(table, plan, model::StepAction::kWrite, limit);
  if (!table.empty()) {
    table.print(out, context.columns, context.color());
    const auto all = std::size_t{plan.writes} + plan.refusals;
    if (all > table.size()) out << "… and " << all - table.size() << " more\n";
    out << "\n";
  }
  out << "plan " << plan.hash << ": " << plan.writes << " to write, " << plan.refusals
      << " refused, " << plan.skips << " there already\n";
}

Exit after_plan(const model::RestorePlan& plan) {
  return plan.refusals > 0 ? Exit::kFailed : Exit::kFine;
}

Exit carry_out(Context& context, Client& client, api::RestoreRequest request) {
  request.user = context.user;
  request.idempotency = Uuid::random();
  auto accepted =
      client.ask<model::Job>("keeper", "keeper.restore", request, context.budget(kPlanBudget));
  if (!accepted) {
    const auto exit = context.report(accepted.error());
    if (exit == Exit::kUnknown) {
      context.err << "tidemark: the restore may have begun: see `tidemark job list`\n";
    }
    return exit;
  }
  auto job = wait_for_job(context, client, std::move(accepted).value());
  if (!job) {
    const auto exit = context.report(job.error());
    return exit == Exit::kUnreachable ? Exit::kUnknown : exit;  // It was accepted.
  }
  if (context.json) {
    context.print(job_json(job.value()));
  } else {
    print_job(context, job.value());
  }
  return exit_of(job.value());
}

Exit restore(Context& context, Client& client, const RestoreArguments& arguments) {
  auto request = arguments.request;
  const auto wanted_hash = std::exchange(request.plan_hash, "");
  const auto planned = client.ask<model::RestorePlan>("keeper", "keeper.restore_plan", request,
                                                      context.budget(kPlanBudget));
  if (!planned) return context.report(planned.error());
  const auto& plan = planned.value();
  if (arguments.dry_run) {
    if (context.json) {
      context.print(plan_json(plan));
    } else {
      print_plan(context, context.out, plan, plan.steps.size());
    }
    return after_plan(plan);
  }
  // With --json, standard output holds the job and nothing else.
  print_plan(context, context.json ? context.err : context.out, plan, kStepsShownMax);
  if (!wanted_hash.empty() && wanted_hash != plan.hash) {
    return context.report({Code::kRefused, "the plan is another one by now: nothing was written"});
  }
  if (plan.writes == 0) {
    if (context.json) context.print(plan_json(plan));
    context.err << "nothing to write\n";
    return after_plan(plan);
  }
  const auto count = std::to_string(plan.writes) + (plan.writes == 1 ? " PV" : " PVs");
  if (!arguments.yes && !confirmed(context, "Write " + count + "?")) {
    context.err << "nothing was written\n";
    return Exit::kFailed;
  }
  request.plan_hash = plan.hash;
  return carry_out(context, client, std::move(request));
}

Exit run(Context& context, const RestoreArguments& arguments) {
  const bool can_ask = context.in_terminal && context.err_terminal;
  if (!arguments.dry_run && !arguments.yes && !can_ask) {
    return context.report({Code::kInvalidArgument,
                           "restore writes to the machine: without a terminal it needs --yes "
                           "(or --dry-run). Nothing was written"});
  }
  return with_client(context, [&](Client& client) { return restore(context, client, arguments); });
}

}  // namespace

void add_restore_command(Command snapshot, Context& context) {
  auto arguments = std::make_shared<RestoreArguments>();
  auto& request = arguments->request;
  auto command = add_command(
      snapshot, context, "restore",
      {"Write the values of a snapshot back to the machine",
       "Shows the plan: what would be written, and what is refused and why. PVs that are there "
       "already, within tolerance, are left alone. Then asks, carries out exactly that plan, and "
       "reads everything back. Exits with 0 only when nothing was refused, unknown or not "
       "verified; with 4 when the outcome of any write is unknown. Ctrl-C leaves the job running; "
       "`tidemark job cancel` stops it.",
       "  tidemark snapshot restore \"before the shift\" --dry-run\n"
       "  tidemark snapshot restore 1f3a90c2 --tag area/linac --comment 'undo test'\n"
       "  tidemark snapshot restore 1f3a90c2 --plan-hash 9c0d5e… --yes"},
      [&context, arguments] { return run(context, *arguments); });
  command.add_option("ID", request.snapshot, "Id, the first part of one, or an exact title")
      .required();
  command.add_flag("--dry-run", arguments->dry_run, "Show the whole plan, write nothing");
  add_repeatable(command, "--name", request.scope.names, "Only PVs of this glob").type_name("GLOB");
  add_repeatable(command, "--tag", request.scope.tags, "Only PVs with this group/tag")
      .type_name("G/T");
  command.add_flag("--force", request.options.force,
                   "Write also what is there already; never what is refused");
  command.add_option("--plan-hash", request.plan_hash, "Refuse unless the plan is this one")
      .type_name("HASH");
  command.add_flag("--yes", arguments->yes, "Do not ask");
  command.add_option("--comment", request.comment, "Why; it is kept in the journal")
      .type_name("TEXT");
  add_duration(command, "--put-timeout", request.put_timeout, "Deadline of each write (5s)");
}

}  // namespace tidemark::tools
