// tools/cmd_policy.cpp
//
// policy set, preview, remove, list, show, explain: how densely PVs are archived.

#include <ostream>

#include "model/api/keeper.h"
#include "model/api/node.h"
#include "tools/amounts.h"
#include "tools/commands.h"
#include "tools/confirm.h"
#include "tools/policy_show.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

constexpr auto kPolicyBudget = 5s;
constexpr auto kPreviewBudget = 15s;

struct Arguments {
  model::Policy policy;
  bool yes = false;
  std::uint32_t limit = 20;
};

Result<api::PolicyPreview> ask_preview(Context& context, Client& client, const Arguments& arguments,
                                       bool remove) {
  return client.ask<api::PolicyPreview>(
      "keeper", "keeper.policy_preview",
      api::PolicyPreviewQuery{arguments.policy, remove, arguments.limit},
      context.budget(kPreviewBudget));
}

Exit preview(Context& context, Client& client, const Arguments& arguments, bool remove) {
  const auto preview = ask_preview(context, client, arguments, remove);
  if (!preview) return context.report(preview.error());
  if (context.json) {
    context.print(preview_json(preview.value()));
  } else {
    print_preview(context, context.out, preview.value());
  }
  return Exit::kFine;
}

Exit change(Context& context, Client& client, const Arguments& arguments, bool remove) {
  const auto seen = ask_preview(context, client, arguments, remove);
  if (!seen) return context.report(seen.error());
  // With --json, standard output holds what was done and nothing else.
  print_preview(context, context.json ? context.err : context.out, seen.value());
  const auto& name = arguments.policy.name;
  if (!arguments.yes &&
      !confirmed(context, (remove ? "Remove policy " : "Set policy ") + name + "?")) {
    context.err << "nothing was changed\n";
    return Exit::kFailed;
  }
  const auto done = remove ? client.ask<api::Empty>("keeper", "keeper.policy_remove",
                                                    api::PolicyRemove{name, context.user},
                                                    context.budget(kPolicyBudget))
                           : client.ask<api::Empty>("keeper", "keeper.policy_set",
                                                    api::PolicySet{arguments.policy, context.user},
                                                    context.budget(kPolicyBudget));
  if (!done) return context.report(done.error());
  if (context.json) {
    context.print({{"policy", name}, {"removed", remove}, {"channels", seen.value().channels}});
  } else {
    context.out << "policy " << name << (remove ? " removed" : " set") << "\n";
  }
  return Exit::kFine;
}

Exit run_change(Context& context, const Arguments& arguments, bool remove) {
  if (!arguments.yes && !(context.in_terminal && context.err_terminal)) {
    return context.report({Code::kInvalidArgument,
                           "a policy changes what is archived: without a terminal it needs --yes. "
                           "Nothing was changed"});
  }
  return with_client(context,
                     [&](Client& client) { return change(context, client, arguments, remove); });
}

Result<std::vector<api::PolicyEntry>> ask_policies(Context& context, Client& client) {
  auto list = client.ask<api::PolicyList>("keeper", "keeper.policy_list", api::Empty{},
                                          context.budget(kPolicyBudget));
  if (!list) return list.error();
  return std::move(list.value().policies);
}

std::string scope_text(const model::Scope& scope) {
  std::string out;
  for (const auto& tag : scope.tags) out += (out.empty() ? "" : " ") + tag;
  for (const auto& name : scope.names) out += (out.empty() ? "" : " ") + name;
  return out;
}

Exit list_policies(Context& context, Client& client) {
  const auto policies = ask_policies(context, client);
  if (!policies) return context.report(policies.error());
  Table table({{"ORDER", true, false},
               {"POLICY", false, false},
               {"ARCHIVES"},
               {"SCOPE"},
               {"ADDRESSES", true, false}});
  auto documents = Json::array();
  for (const auto& entry : policies.value()) {
    documents.push_back(policy_json(entry));
    table.add({std::to_string(entry.policy.order), entry.policy.name,
               model::describe(entry.policy.thinning), scope_text(entry.policy.scope),
               std::to_string(entry.channels)});
  }
  if (context.json) {
    context.print(documents);
  } else if (table.empty()) {
    context.err << "no policies: everything is archived as it comes\n";
  } else {
    table.print(context.out, context.columns, context.color());
  }
  return Exit::kFine;
}

Exit show_policy(Context& context, Client& client, const std::string& name) {
  const auto policies = ask_policies(context, client);
  if (!policies) return context.report(policies.error());
  for (const auto& entry : policies.value()) {
    if (entry.policy.name != name) continue;
    if (context.json) {
      context.print(policy_json(entry));
    } else {
      print_policy(context, entry);
    }
    return Exit::kFine;
  }
  return context.report({Code::kNotFound, "no policy '" + printable(name) + "'"});
}

Exit explain(Context& context, Client& client, const std::string& address) {
  const auto asked = client.ask<api::PolicyExplanation>("keeper", "keeper.policy_explain",
                                                        api::PolicyQuestion{address},
                                                        context.budget(kPolicyBudget));
  if (!asked) return context.report(asked.error());
  const auto& answer = asked.value();
  api::RatesQuery query;
  query.channels = {answer.channel};
  const auto rates =
      client.ask<api::Rates>("monitor", "monitor.rates", query, context.budget(kPolicyBudget));
  const bool known = rates && rates.value().channels.size() == 1;
  const auto rate = known ? rates.value().channels[0] : api::ChannelRate{};
  if (context.json) {
    auto reasons = Json::array();
    for (const auto& each : answer.reasons) {
      reasons.push_back({{"policy", each.policy}, {"order", each.order}, {"reason", each.reason}});
    }
    Json json = {{"address", address},
                 {"policy", answer.policy.empty() ? Json(nullptr) : Json(answer.policy)}};
    json.update(thinning_json(answer.thinning));
    json["guarded"] = known ? Json(rate.guarded) : Json(nullptr);
    json["seen"] = known ? rate_json(rate.seen) : Json(nullptr);
    json["archived"] = known ? rate_json(rate.archived) : Json(nullptr);
    json["reasons"] = std::move(reasons);
    context.print(json);
    return Exit::kFine;
  }
  auto& out = context.out;
  out << "PV           " << address << "\n"
      << "policy       " << (answer.policy.empty() ? "none" : answer.policy) << "\n"
      << "archived     " << model::describe(answer.thinning) << "\n";
  if (known) {
    out << "comes        " << rate_text(rate.seen) << "\n"
        << "goes         " << rate_text(rate.archived) << "\n";
    if (rate.guarded) {
      out << paint("guard        it exceeds the storage guard's budget and is thinned",
                   Color::kYellow, context.color())
          << "\n";
    }
  } else {
    out << "rate         unknown: the monitor is away\n";
  }
  for (const auto& each : answer.reasons) {
    out << "  " << each.order << "  " << each.policy << ": " << each.reason << "\n";
  }
  return Exit::kFine;
}

// ---- options ------------------------------------------------------------------------------------

/// An option that holds a number, as `parse` reads it.
template <class Parse, class Into>
void add_number(Command command, const std::string& name, Parse parse, Into& into,
                const std::string& help, const std::string& type) {
  const auto read = [parse, &into](const std::string& text) -> Result<Unit> {
    const auto number = parse(text);
    if (!number) return number.error();
    into = number.value();
    return Unit{};
  };
  command.add_read(name, read, help).type_name(type);
}

void add_policy_options(Command command, Arguments& arguments) {
  auto& policy = arguments.policy;
  auto& limits = policy.thinning;
  command.add_option("NAME", policy.name, "Name of the policy").required();
  add_repeatable(command, "--tag", policy.scope.tags, "PVs with this group/tag").type_name("G/T");
  add_repeatable(command, "--glob", policy.scope.names, "Addresses of this glob, or one address")
      .type_name("GLOB");
  command.add_option("--order", policy.order, "The smallest that fits decides (100)");
  command
      .add_option("--deadband", limits.deadband_abs,
                  "Hide what is this near to the last value archived; 0: what did not change")
      .type_name("NUMBER");
  add_number(command, "--deadband-relative", parse_part, limits.deadband_rel,
             "The same as a part of that value: 1% or 0.01", "PART");
  add_number(command, "--rate", parse_rate, limits.updates_per_s_max,
             "At most so many updates: 1/s, 6/min, 1/h", "RATE");
  add_number(command, "--waveform-budget", parse_byte_rate, limits.waveform_bytes_per_s_max,
             "At most so many bytes of arrays: 100KiB/s, 1GB/day", "BYTES");
  command.add_flag("--off", limits.off, "Archive no values");
  command.add_option("--limit", arguments.limit, "Show at most so many PVs (20)");
}

void add_policy_set(Command policies, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  auto command = add_command(
      policies, context, "set",
      {"Make a policy, or put one in the place of its namesake",
       "Shows first which addresses would be archived otherwise and what that saves, by what came "
       "in the last minutes, and asks. --tag and --glob may be repeated: tags of one group mean "
       "any "
       "of them, of different groups all of them; an address fits one of the globs. Of several "
       "policies that fit, the one with the smallest --order decides, alone. Changes of alarm, of "
       "an enum and of the connection are always archived, except with --off, and so is the newest "
       "value at the end of each interval of --rate.",
       "  tidemark policy set slow --tag kind/bpm --deadband 0.01 --rate 1/s\n"
       "  tidemark policy set cameras --glob 'CAM:*:IMAGE' --waveform-budget 100KiB/s --order 10"},
      [&context, arguments] { return run_change(context, *arguments, false); });
  add_policy_options(command, *arguments);
  command.add_flag("--yes", arguments->yes, "Do not ask");
}

void add_preview(Command policies, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  auto command = add_command(
      policies, context, "preview",
      {"Show what `policy set` would change, and change nothing",
       "Takes the same options. What a rate or a budget saves follows from the rates of the last "
       "five minutes; what a deadband saves, from the last numbers that came.",
       "  tidemark policy preview slow --tag kind/bpm --deadband 0.01"},
      [&context, arguments] {
        return with_client(
            context, [&](Client& client) { return preview(context, client, *arguments, false); });
      });
  add_policy_options(command, *arguments);
}

void add_remove(Command policies, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  auto command = add_command(
      policies, context, "remove",
      {"Remove a policy", "Shows first which addresses would be archived otherwise, and asks.",
       "  tidemark policy remove slow"},
      [&context, arguments] { return run_change(context, *arguments, true); });
  command.add_option("NAME", arguments->policy.name, "Name of the policy").required();
  command.add_option("--limit", arguments->limit, "Show at most so many PVs (20)");
  command.add_flag("--yes", arguments->yes, "Do not ask");
}

void add_questions(Command policies, Context& context) {
  add_command(policies, context, "list",
              {"List the policies in the order in which they are asked",
               "ADDRESSES are those that a policy decides about.", "  tidemark policy list"},
              [&context] {
                return with_client(context,
                                   [&](Client& client) { return list_policies(context, client); });
              });
  auto name = std::make_shared<std::string>();
  auto one = add_command(
      policies, context, "show",
      {"Show one policy", "With its whole scope.", "  tidemark policy show slow"},
      [&context, name] {
        return with_client(context,
                           [&](Client& client) { return show_policy(context, client, *name); });
      });
  one.add_option("NAME", *name, "Name of the policy").required();
  auto address = std::make_shared<std::string>();
  auto why = add_command(
      policies, context, "explain",
      {"Say which policy decides about a PV, and why the others do not",
       "Shows also how much comes of it, how much is archived, and whether the storage guard thins "
       "it.",
       "  tidemark policy explain BPM:LI21:201:X"},
      [&context, address] {
        return with_client(context,
                           [&](Client& client) { return explain(context, client, *address); });
      });
  why.add_option("PV", *address, "Address").required();
}

}  // namespace

void add_policy_commands(Command app, Context& context) {
  auto policies = add_group(
      app, "policy",
      {"Say how densely PVs are archived",
       "A policy thins what goes to the journal; live tables, `pv watch` and snapshots always have "
       "everything. Without one all updates are archived.",
       "  tidemark policy set slow --tag kind/bpm --deadband 0.01 --rate 1/s\n"
       "  tidemark policy list"});
  add_policy_set(policies, context);
  add_preview(policies, context);
  add_remove(policies, context);
  add_questions(policies, context);
}

}  // namespace tidemark::tools
