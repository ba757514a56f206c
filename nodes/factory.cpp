#include "nodes/kinds.h"

namespace tidemark::nodes {

Result<std::unique_ptr<Node>> make_node(NodeContext context) {
  const auto kind = context.name.substr(0, context.name.find_first_of("-0123456789"));
  if (kind == "registry") return make_registry_node(std::move(context));
  if (kind == "journal") return make_journal_node(std::move(context));
  if (kind == "keeper") return make_keeper_node(std::move(context));
  if (kind == "monitor") return make_monitor_node(std::move(context));
  if (kind == "gateway") return make_gateway_node(std::move(context));
  return Error{Code::kInvalidArgument,
               "no node is called '" + context.name +
                   "'; there are registry, journal, keeper, monitor and gateway"};
}

}  // namespace tidemark::nodes
