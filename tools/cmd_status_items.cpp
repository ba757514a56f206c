// tools/cmd_status_items.cpp
//
// status-items: what is wrong with the subsystems, now or as it changes, and saying that somebody
// has seen it.

#include <algorithm>
#include <map>
#include <ostream>

#include "base/glob.h"
#include "model/api/node.h"
#include "tools/commands.h"
#include "tools/finish.h"
#include "tools/interrupt.h"
#include "tools/join.h"
#include "tools/key_show.h"
#include "tools/nearest.h"
#include "tools/offers.h"
#include "tools/show.h"
#include "tools/status_items.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

struct ItemOptions {
  std::string pattern;
  bool all = false;
  bool follow = false;
  std::uint64_t count = 0;  // lines; 0: no end
  Duration period{0};       // 0: no end
};

Json line_json(const std::string& subsystem, const model::StatusItem& item) {
  Json json = {{"subsystem", subsystem}};
  json.update(item_json(item));
  return json;
}

// ---- now ----------------------------------------------------------------------------------------

Exit show_items(Context& context, Client& client, const ItemOptions& options) {
  const auto offers = offers_of(client.directory());
  StatusTable table;
  std::optional<Exit> bad;
  bool matched = false;
  for (const auto& offer : offers) {
    const auto& name = offer.node.name;
    if (!offer.is_subsystem || !glob_match(options.pattern, name)) continue;
    matched = true;
    if (offer.node.state == bus::NodeState::kStopped) continue;  // in order, on purpose
    const auto items = status_items_of(client, name, context.budget(2s));
    if (!items) {
      const auto exit = context.report({items.error().code, printable(items.error().message)});
      if (!bad) bad = exit;
      continue;
    }
    for (const auto& item : items.value()) {
      if (!options.all && !item.shown()) continue;
      if (context.json) {
        context.print(line_json(name, item));
      } else {
        table.add(name, item);
      }
    }
  }
  if (!matched && options.pattern != "*") {
    return context.report({Code::kNotFound, "no subsystem matches '" + printable(options.pattern) +
                                                "'" +
                                                did_you_mean(options.pattern, names_of(offers))});
  }
  table.print(context);
  if (!context.json && table.empty() && !bad) context.err << "nothing is wrong\n";
  return bad.value_or(Exit::kFine);
}

// ---- as it changes ------------------------------------------------------------------------------

/// Threads: take() on the library's callback thread.
class ItemWatch {
 public:
  ItemWatch(Context& context, const ItemOptions& options) : context_(context), options_(options) {}

  void take(const std::string& subsystem, const model::StatusItem& item) {
    if (finish_.is_enough()) return;
    auto& before = told_[{subsystem, item.name}];
    const bool is_new = before != item;  // A whole state repeats what is known.
    const bool wanted = options_.all || item.shown() || before.shown();
    before = item;
    if (!is_new || !wanted) return;
    if (context_.json) {
      context_.print(line_json(subsystem, item));
    } else {
      print_text(subsystem, item);
    }
    context_.out.flush();
    ++lines_;
    if ((options_.count > 0 && lines_ >= options_.count) || !context_.out) finish_.enough();
  }

  Finish& finish() { return finish_; }

 private:
  void print_text(const std::string& subsystem, const model::StatusItem& item) {
    const auto color = item.shown() ? severity_color(item.severity) : Color::kNone;
    auto& out = context_.out;
    out << time_text(std::max(item.since, item.acknowledged_at)) << "  "
        << printable(subsystem + "/" + item.name) << "  "
        << paint(item.shown() ? to_string(item.severity) : "cleared", color, context_.color());
    if (item.shown() && item.code != 0) out << " " << item.code;
    if (!item.text.empty()) out << "  " << printable(item.text);
    if (item.shown() && !item.active) out << "  (its cause is gone)";
    if (item.acknowledged()) out << "  acknowledged by " << printable(item.acknowledged_by);
    out << "\n";
  }

  Context& context_;
  const ItemOptions& options_;
  std::map<std::pair<std::string, std::string>, model::StatusItem> told_;
  std::uint64_t lines_ = 0;
  Finish finish_;
};

Exit follow_items(Context& context, Client& client, const ItemOptions& options) {
  const Interrupt interrupt;
  const auto joined = join(client, context.budget(5s));
  if (!joined) return context.report(joined.error());
  auto& site = *joined.value();
  ItemWatch shown(context, options);
  const auto subscription = site.watch_status(
      options.pattern,
      [&](const auto& subsystem, const auto& item) { shown.take(subsystem, item); });
  shown.finish().wait(options.period > Duration{0} ? steady_now() + options.period
                                                   : SteadyTime::max());
  site.stop(Duration{0});  // A callback may still be printing.
  return Exit::kFine;
}

// ---- acknowledge --------------------------------------------------------------------------------

Exit acknowledge(Context& context, Client& client, const std::string& subsystem,
                 const std::string& item) {
  const auto offers = offers_of(client.directory());
  const auto found = find_subsystem(offers, subsystem);
  if (!found) return context.report(found.error());
  const auto done = client.ask<api::Empty>(subsystem, "status.ack",
                                           api::StatusAck{item, context.user}, context.budget(5s));
  const auto items = status_items_of(client, subsystem, context.budget(5s));
  if (!done) {
    std::vector<std::string> names;
    if (items && done.error().code == Code::kNotFound) {
      for (const auto& each : items.value()) names.push_back(each.name);
    }
    return context.report(
        {done.error().code, printable(done.error().message) + did_you_mean(item, names)});
  }
  if (!items) return context.report(items.error());
  for (const auto& each : items.value()) {
    if (each.name != item) continue;
    if (context.json) {
      context.print(line_json(subsystem, each));
    } else {
      context.out << printable(subsystem + "/" + item) << " is acknowledged"
                  << (each.active ? "; its cause is still there" : "") << "\n";
    }
  }
  return Exit::kFine;
}

// ---- options ------------------------------------------------------------------------------------

void add_acknowledge(Command items, Context& context) {
  auto subsystem = std::make_shared<std::string>();
  auto item = std::make_shared<std::string>();
  auto command = add_command(
      items, context, "ack",
      {"Say that you have seen an item",
       "The journal keeps who did. An item that is latched and whose cause is gone goes with it; "
       "one that changes or comes back needs to be acknowledged again.",
       "  tidemark status-items ack psu.1 interlock"},
      [&context, subsystem, item] {
        return with_client(context, [&](Client& client) {
          return acknowledge(context, client, *subsystem, *item);
        });
      });
  command.add_option("SUBSYSTEM", *subsystem, "Whose").required();
  command.add_option("ITEM", *item, "Which").required();
}

}  // namespace

void add_status_item_commands(Command app, Context& context) {
  auto options = std::make_shared<ItemOptions>();
  options->pattern = "*";
  auto command = add_command(
      app, context, "status-items",
      {"Show what is wrong with the subsystems, and acknowledge it",
       "What is raised now, and what was raised, is latched and nobody has acknowledged yet. "
       "Exits with 3 when a subsystem that ought to be there does not answer.",
       "  tidemark status-items\n"
       "  tidemark status-items 'psu.*' --all\n"
       "  tidemark status-items --follow --json\n"
       "  tidemark status-items ack psu.1 interlock"},
      {});
  command.callback([&context, options, command] {
    if (command.has_subcommand()) return;  // That one runs.
    context.command = [&context, options] {
      return with_client(context, [&](Client& client) {
        return options->follow ? follow_items(context, client, *options)
                               : show_items(context, client, *options);
      });
    };
  });
  command.add_option("PATTERN", options->pattern, "Subsystems, with * and ? (default: all)");
  command.add_flag("--all", options->all, "Also items with which nothing is wrong");
  command.add_flag("--follow", options->follow, "Then each change, until Ctrl-C");
  command.add_option("--count", options->count, "With --follow: end after so many lines");
  add_duration(command, "--for", options->period, "With --follow: end after this time");
  add_acknowledge(command, context);
}

}  // namespace tidemark::tools
