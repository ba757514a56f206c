// tools/cmd_names.cpp
//
// complete-names: what shells ask while somebody types a name. It answers at once or not at all,
// and never complains: nobody wants a message in the middle of a line.

#include <algorithm>
#include <ostream>
#include <set>

#include "model/api/keeper.h"
#include "model/api/marks.h"
#include "tools/commands.h"
#include "tools/completion.h"
#include "tools/offers.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;

constexpr auto kNamesBudget = std::chrono::milliseconds(500);
constexpr std::size_t kNamesMax = 500;  // more are no help to anybody

std::set<std::string> pv_names(Client& client, const std::string& prefix) {
  std::set<std::string> names;
  const auto reply = client.ask<api::LiveReply>("keeper", "keeper.pv_live",
                                                api::LiveQuery{{prefix + "*"}}, kNamesBudget);
  if (!reply) return names;
  for (const auto& value : reply.value().values) names.insert(value.address);
  return names;
}

std::set<std::string> mark_names(Client& client, const std::string& prefix) {
  std::set<std::string> names;
  api::MarksQuery query;
  query.name = prefix + "*";
  query.limit = kNamesMax;
  const auto reply = client.ask<api::MarkList>("journal", "journal.marks", query, kNamesBudget);
  if (!reply) return names;
  for (const auto& mark : reply.value().marks) names.insert(mark.name);
  return names;
}

/// Of those on the bus, of their keys or of their events.
std::set<std::string> offered_names(Client& client, const std::string& kind) {
  std::set<std::string> names;
  for (const auto& offer : offers_of(client.directory())) {
    if (kind == "node") names.insert(offer.node.name);
    for (const auto& key : offer.surface.keys) {
      if (kind == "key") names.insert(offer.node.name + "/" + key.name);
    }
    for (const auto& event : offer.surface.events) {
      if (kind == "event") names.insert(event.name);
    }
  }
  return names;
}

std::set<std::string> names_of_kind(Client& client, const std::string& kind,
                                    const std::string& prefix) {
  if (kind == "pv") return pv_names(client, prefix);
  if (kind == "mark") return mark_names(client, prefix);
  auto names = offered_names(client, kind);
  std::erase_if(names, [&](const std::string& name) { return !name.starts_with(prefix); });
  return names;
}

/// A shell would run what is in a line of its own, and take a space for the end of a name.
bool is_plain(const std::string& name) {
  return std::none_of(name.begin(), name.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

void add_names_command(Command app, Context& context) {
  struct Options {
    std::string kind;
    std::string prefix;
  };
  auto options = std::make_shared<Options>();
  auto command = add_command(
      app, context, "complete-names",
      {"Print names that begin with a text, for the completion of a shell",
       "One a line; nothing when the system is away.", "  tidemark complete-names pv QUAD:LI21"},
      [&context, options] {
        if (!context.timeout) context.timeout = kNamesBudget;
        auto client = context.connect(context);
        if (!client) return Exit::kFine;
        const auto names = names_of_kind(*client.value(), options->kind, options->prefix);
        std::size_t printed = 0;
        for (const auto& name : names) {
          if (!is_plain(name)) continue;
          if (++printed > kNamesMax) break;
          context.out << name << "\n";
        }
        return Exit::kFine;
      });
  command.hide();
  command.add_option("KIND", options->kind, "pv, mark, node, key or event")
      .required()
      .one_of({"pv", "mark", "node", "key", "event"});
  command.add_option("PREFIX", options->prefix, "How the names begin");
}

}  // namespace tidemark::tools
