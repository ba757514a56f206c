// tools/cmd_ls.cpp
//
// ls: who is on the bus, nodes of Tidemark and subsystems of the laboratory alike.

#include <algorithm>
#include <ostream>

#include "base/glob.h"
#include "tools/commands.h"
#include "tools/documents.h"
#include "tools/nearest.h"
#include "tools/offers.h"
#include "tools/show.h"
#include "tools/times.h"

namespace tidemark::tools {
namespace {

Json offer_json(const Offer& offer) {
  auto json = node_json(offer.node);
  const bool readable = offer.unreadable.empty();
  json["keys"] = readable ? Json(offer.surface.keys.size()) : Json(nullptr);
  json["events"] = readable ? Json(offer.surface.events.size()) : Json(nullptr);
  json["labels"] = offer.node.labels;
  json["description"] = offer.surface.description;
  return json;
}

std::vector<Cell> row_of(const Offer& offer, UtcTime now) {
  const auto& node = offer.node;
  const auto count = [&](std::size_t number) {
    if (!offer.unreadable.empty()) return std::string("?");
    return offer.is_subsystem ? std::to_string(number) : std::string("-");
  };
  std::string labels;
  for (const auto& label : node.labels) labels += (labels.empty() ? "" : " ") + label;
  return {node.name,
          node.kind,
          {bus::to_string(node.state), state_color(node.state)},
          duration_text(std::max(now - node.state_since, Duration{0})),
          node.host,
          std::to_string(node.pid),
          count(offer.surface.keys.size()),
          count(offer.surface.events.size()),
          labels};
}

Exit ls(Context& context, Client& client, const std::string& pattern) {
  const auto offers = offers_of(client.directory());
  Table table({{"NAME", false, false},
               {"KIND"},
               {"STATE", false, false},
               {"AGE", true, false},
               {"HOST"},
               {"PID", true, false},
               {"KEYS", true, false},
               {"EVENTS", true, false},
               {"LABELS"}});
  std::size_t shown = 0;
  for (const auto& offer : offers) {
    if (!pattern.empty() && !glob_match(pattern, offer.node.name)) continue;
    ++shown;
    if (!offer.unreadable.empty()) context.err << "tidemark: " << why_unreadable(offer) << "\n";
    if (context.json) {
      context.print(offer_json(offer));
    } else {
      table.add(row_of(offer, context.now()));
    }
  }
  if (shown == 0 && !pattern.empty()) {
    const auto& what = is_glob(pattern) ? "nobody on the bus matches '" : "nobody is called '";
    return context.report({Code::kNotFound, what + printable(pattern) + "'" +
                                                did_you_mean(pattern, names_of(offers))});
  }
  if (!context.json) table.print(context.out, context.columns, context.color());
  return Exit::kFine;
}

}  // namespace

void add_ls_command(Command app, Context& context) {
  auto pattern = std::make_shared<std::string>();
  auto command = add_command(
      app, context, "ls",
      {"List everybody on the bus",
       "Nodes of Tidemark and subsystems of the laboratory: since when each is in its "
       "state, where it runs, how many keys and events it offers, and its labels. "
       "Whoever is gone stays in the list for a day.",
       "  tidemark ls\n"
       "  tidemark ls 'psu.*'\n"
       "  tidemark ls --json | jq -r 'select(.state != \"alive\").name'"},
      [&context, pattern] {
        return with_client(context, [&](Client& client) { return ls(context, client, *pattern); });
      });
  command.add_option("PATTERN", *pattern, "A name, with * and ?");
}

}  // namespace tidemark::tools
