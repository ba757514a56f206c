// tools/cmd_forget.cpp
//
// forget: somebody who died without a goodbye, and will not come back. Until then he is missed by
// everybody who asks a question that he might have objected to.

#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "bus/forget.h"
#include "tools/commands.h"
#include "tools/documents.h"
#include "tools/offers.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

Exit forget_node(Context& context, Client& client, const std::string& name) {
  const auto offers = offers_of(client.directory());
  const auto found = find_node(offers, name);
  if (!found) return context.report(found.error());
  const auto& node = found.value()->node;
  const bus::Forget wish{node.uuid, node.name, context.user};
  const auto budget = context.budget(std::chrono::seconds(5));
  std::vector<std::pair<std::string, std::shared_ptr<Pending>>> asked;
  for (const auto& registry : client.registries()) {
    const auto pending = std::make_shared<Pending>();
    asked.emplace_back(registry.name, pending);
    client.link().request(bus::node_number(registry.uuid), "registry.forget", model::pack(wish),
                          {budget, {}},
                          [pending](bus::Answer answer) { pending->on_answer(std::move(answer)); });
  }
  std::optional<Exit> bad;
  std::vector<std::string> done;
  for (const auto& [registry, pending] : asked) {
    const auto answer = Client::wait_for<bus::Nothing>(*pending, "registry.forget");
    if (answer) {
      done.push_back(registry);
      continue;
    }
    const auto exit =
        context.report({answer.error().code, registry + " does not forget " + name + ": " +
                                                 printable(answer.error().message)});
    if (!bad) bad = exit;
  }
  if (context.json) {
    auto json = node_json(node);
    json["forgotten_by"] = done;
    context.print(json);
  } else if (!done.empty()) {
    std::string by;
    for (const auto& each : done) by += (by.empty() ? "" : ", ") + each;
    context.out << name << " is forgotten by " << by << "\n";
  }
  return bad.value_or(Exit::kFine);
}

}  // namespace

void add_forget_command(Command app, Context& context) {
  auto name = std::make_shared<std::string>();
  auto command = add_command(
      app, context, "forget",
      {"Forget somebody who died and will not come back",
       "Who ends without a goodbye stays in the directory for a day, and so long counts as lost in "
       "every call on all or on a label: nothing goes ahead because the one who would have "
       "objected is dead. This takes a dead node or subsystem out of the directory at once. It is "
       "refused while he is alive, and the journal keeps who said so. Whoever comes back registers "
       "again. A registry that is away has to be told when it is back: the exit code says so.",
       "  tidemark ls | grep disconnected\n"
       "  tidemark forget psu.7"},
      [&context, name] {
        return with_client(context,
                           [&](Client& client) { return forget_node(context, client, *name); });
      });
  command.add_option("NAME", *name, "Whom; `tidemark ls` lists them").required();
}

}  // namespace tidemark::tools
